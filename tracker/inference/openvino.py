"""The fast engine for CPUs: networks compiled by OpenVINO, where that package is installed.

Regions are compared one by one: on a CPU a batch saves nothing, and so a target's answer never depends on its company.
A single region has all threads to itself; of several, each has one, since threads that share a region wait for each
other. Exemplars are embedded by torch, since that happens once per target, unless they are only compared with one.

Processors that compute in bfloat16 do so: it takes two thirds of the time, and probabilities are wrong by a tenth in
places, which costs nothing that could be measured (docs/adr/0024). The torch engine stays exact.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import logging
import marshal
import os
import sys
import threading
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tracker.config import TrackConfig
from tracker.inference.engine import Answer, Pixels, Scores, Told, TorchEngine, cosine
from tracker.models.network import foreground
from tracker.models.outline import CELLS, FRAMES, HINTS, KEY_CHANNELS, KEYS, SIDE
from tracker.registry import engines_home

log = logging.getLogger(__name__)
KEPT = 12
"""Compiled models kept on disk; the oldest go first."""
_DIGEST = hashlib.sha256().digest_size
_ready: dict[str, Any] = {}
_making = threading.Lock()


def installed() -> bool:
    """Whether OpenVINO can be imported; imports nothing."""
    return importlib.util.find_spec("openvino") is not None


def _openvino() -> Any:
    """The package, without its telemetry, which reports every import to its makers."""
    if "openvino_telemetry" not in sys.modules:
        sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    return importlib.import_module("openvino")


def precision() -> str:
    """What networks are computed in: ``bf16`` where the processor has instructions for it, else ``f32``."""
    return "bf16" if "BF16" in _openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"


class _Match(nn.Module):
    """`Network.match` from pixels to probabilities, as a trace needs it: tensors only, and no empty ones.

    Features leave with channels last, the layout they are computed in.
    """

    def __init__(self, net: Any, offsets: bool, present: Sequence[bool]) -> None:
        super().__init__()
        self.net, self.offsets, self.present = net, offsets, tuple(present)

    def forward(self, pixels: Tensor, *kernels: Tensor) -> tuple[Tensor, ...]:
        found = self.net.match(kernels, self.net.preprocess(pixels), offsets=self.offsets)
        parts = foreground(found.cls), found.loc, found.att, found.off, foreground(found.levels)
        kept = [part for part, there in zip(parts, self.present, strict=True) if there]
        return (*kept, *(feature.permute(0, 2, 3, 1) for feature in found.features))


class _Draw(nn.Module):
    """`SiamAttMobile.draw` from pixels to probabilities."""

    def __init__(self, net: Any) -> None:
        super().__init__()
        self.net = net

    def forward(self, pixels: Tensor, *told: Tensor) -> tuple[Tensor, Tensor]:
        logits, keys = self.net.draw(self.net.preprocess(pixels), *told)
        return logits.sigmoid(), keys


class _First(nn.Module):
    """The first of `Network.embed`'s kernels, from pixels."""

    def __init__(self, net: Any) -> None:
        super().__init__()
        self.net = net

    def forward(self, pixels: Tensor) -> Tensor:
        return self.net.embed(self.net.preprocess(pixels))[0]


class _Network:
    """A network compiled for one row of a batch. ``shapes``: of the scores of a comparison, empty ones included."""

    def __init__(self, compiled: Any, shapes: Sequence[tuple[int, ...]] = ()) -> None:
        self.compiled, self.shapes = compiled, shapes
        self._requests: list[Any] = []

    def request(self, index: int) -> Any:
        """The run for one row of a batch; each has its own memory for features."""
        while len(self._requests) <= index:
            self._requests.append(self.compiled.create_infer_request())
        return self._requests[index]

    def side_by_side(self, inputs: Sequence[list[np.ndarray]]) -> list[list[np.ndarray]]:
        """The outputs of every row, all begun before the first is waited for; as `_run` gives them."""
        runs = [self.request(i) for i in range(len(inputs))]
        for run, given in zip(runs, inputs, strict=True):
            run.start_async(given, share_inputs=True)
        return [_waited(run) for run in runs]

    def in_turn(self, inputs: Sequence[list[np.ndarray]]) -> list[list[np.ndarray]]:
        """The outputs of every row, one after another; see `_run`."""
        return [_run(self.request(i), given) for i, given in enumerate(inputs)]


class OpenVinoEngine(TorchEngine):
    """`match`, `draw` and `alike` through OpenVINO; the rest through torch.

    Uses as many threads as torch does when it is made. An answer's features are the compiled network's own memory: they
    hold until the next `match`. Raises whatever the conversion raises.
    """

    def __init__(self, net: nn.Module, track: TrackConfig) -> None:
        super().__init__(net, "cpu", track)
        self._name = _fingerprint(self.net, torch.get_num_threads())
        self._matchers: dict[tuple[int, bool], _Network] = {}
        self._drawer: Any = None
        e, s = self.config.exemplar, self.config.search
        self._blank = super().embed(np.zeros((1, e, e, 3), np.uint8))
        self._prepare(s)
        if self.masks == "box":
            self._prepare_drawing()
        self._embedder: _Network | None = None
        if track.framing > 0:
            example = (torch.zeros((1, e, e, 3), dtype=torch.uint8),)
            self._embedder = _Network(_compiled(f"{self._name}-first", _First(self.net), example, apart=True))

    def _prepare(self, size: int, *, several: bool = False) -> None:
        """Compile for search regions of ``size`` pixels; ``several`` of them side by side, each on a thread."""
        pixels = np.zeros((1, size, size, 3), np.uint8)
        answer = super().match(self._blank, pixels)
        shapes = [part.shape for part in answer.scores]
        wrapped = _Match(self.net, self._offsets, [0 not in shape for shape in shapes])
        name = f"{self._name}-match{size}" + ("-several" if several else "")
        example = (torch.from_numpy(pixels), *self._blank)
        self._matchers[size, several] = _Network(_compiled(name, wrapped, example, apart=several), shapes)

    def _prepare_drawing(self) -> None:
        shapes = (1, 4), (1, HINTS, CELLS, CELLS), *((1, *rest, FRAMES * KEYS**2) for rest in ((KEY_CHANNELS,), (), ()))
        pixels = torch.zeros((1, SIDE, SIDE, 3), dtype=torch.uint8)
        compiled = _compiled(f"{self._name}-draw", _Draw(self.net), (pixels, *map(torch.zeros, shapes)))
        self._drawer = compiled.create_infer_request()

    def alike(self, exemplars: Pixels, kernels: tuple[Tensor, ...]) -> np.ndarray:
        if self._embedder is None:
            return super().alike(exemplars, kernels)
        rows = np.ascontiguousarray(exemplars)
        found = self._embedder.side_by_side([[rows[i : i + 1]] for i in range(len(rows))])
        return cosine(np.concatenate([first for (first,) in found]), kernels[0].numpy())

    def match(self, kernels: tuple[Tensor, ...], searches: Pixels) -> Answer:
        pixels = np.ascontiguousarray(searches)
        size, several = pixels.shape[1], len(pixels) > 1 and torch.get_num_threads() > 1
        if (size, several) not in self._matchers:
            self._prepare(size, several=several)
        matcher = self._matchers[size, several]
        given = [[pixels[i : i + 1], *_rows(kernels, i)] for i in range(len(pixels))]
        parts: list[list[np.ndarray]] = [[] for _ in matcher.shapes]
        features = []
        for row in matcher.side_by_side(given) if several else matcher.in_turn(given):
            found = iter(row)
            for part, shape in zip(parts, matcher.shapes, strict=True):
                part.append(np.empty(shape, np.float32) if 0 in shape else next(found).copy())
            features.append(tuple(torch.from_numpy(feature).permute(0, 3, 1, 2) for feature in found))
        return Answer(Scores(*(part[0] if len(part) == 1 else np.concatenate(part) for part in parts)), features)

    def cells(self, answer: Answer) -> np.ndarray:
        return np.concatenate([row[0].numpy() for row in answer.features])

    def segment(
        self, kernels: tuple[Tensor, ...], answer: Answer, rows: Sequence[int], columns: Sequence[int]
    ) -> np.ndarray:
        joined = tuple(torch.cat(parts) for parts in zip(*answer.features, strict=True))
        return super().segment(kernels, answer._replace(features=joined), rows, columns)

    def draw(self, pixels: Pixels, told: Told) -> tuple[np.ndarray, np.ndarray]:
        crops = np.ascontiguousarray(pixels)
        rows = []
        for i in range(len(crops)):
            given = [np.ascontiguousarray(part[i : i + 1]) for part in (crops, *told)]
            rows.append([part.copy() for part in _run(self._drawer, given)])
        masks, keys = (np.concatenate(parts) for parts in zip(*rows, strict=True))
        return masks, keys


def _rows(kernels: tuple[Tensor, ...], index: int) -> list[np.ndarray]:
    """One target's kernels as the compiled network takes them."""
    return [np.ascontiguousarray(kernel[index : index + 1].numpy()) for kernel in kernels]


def _run(request: Any, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """The outputs: views of the request's own memory, which its next run overwrites."""
    found = request.infer(inputs, share_inputs=True, share_outputs=True)
    return [found[i] for i in range(len(found))]


def _waited(request: Any) -> list[np.ndarray]:
    """The outputs of a run that was started before, as `_run` gives them."""
    request.wait()
    return [tensor.data for tensor in request.output_tensors]


def _fingerprint(net: nn.Module, threads: int) -> str:
    """Everything that a compiled network depends on besides its inputs' shapes: weights, code, versions, processor."""
    ov = _openvino()
    digest = hashlib.sha256()
    processor = ov.Core().get_property("CPU", "FULL_DEVICE_NAME")
    digest.update(repr((ov.get_version(), torch.__version__, processor, precision(), threads)).encode())
    for name, tensor in net.state_dict().items():
        digest.update(name.encode() + np.ascontiguousarray(tensor.numpy()).tobytes())
    ours = sorted(name for name in sys.modules if name.startswith("tracker.models.") or name == __name__)
    for name in ours:
        specification = importlib.util.find_spec(name)
        loader: Any = specification.loader if specification else None
        digest.update(marshal.dumps(loader.get_code(name)))
    return f"{digest.hexdigest()[:24]}-{threads}"


def _compiled(name: str, module: nn.Module, example: tuple[Tensor, ...], *, apart: bool = False) -> Any:
    """``module`` for inputs shaped as ``example``; compiled once per process and kept on disk.

    ``apart``: runs go side by side, each on a thread of its own, instead of one on all threads.
    """
    ov = _openvino()
    with _making:
        if name not in _ready:
            threads = int(name.split("-")[1])
            settings = {
                "PERFORMANCE_HINT": "THROUGHPUT" if apart else "LATENCY",
                "NUM_STREAMS": threads if apart else 1,
                "INFERENCE_NUM_THREADS": threads,
                "INFERENCE_PRECISION_HINT": precision(),
                "ENABLE_CPU_PINNING": False,  # other programs run beside us
            }
            core, path = ov.Core(), engines_home() / f"{name}.blob"
            compiled = _restored(core, path, settings)
            if compiled is None:
                compiled = core.compile_model(_converted(module, example), "CPU", settings)
                _keep(path, compiled.export_model().getvalue())
            while len(_ready) >= KEPT:
                _ready.pop(next(iter(_ready)))
            _ready[name] = compiled
        return _ready[name]


def _converted(module: nn.Module, example: tuple[Tensor, ...]) -> Any:
    """OpenVINO's form of ``module``, with the shapes of ``example`` fixed."""
    frontend = importlib.import_module("openvino.frontend")
    decoder = importlib.import_module("openvino.frontend.pytorch.ts_decoder")
    inputs = tuple(tensor.contiguous() for tensor in example)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing warns of every shape it reads
        traced = torch.jit.trace(module.eval(), inputs, strict=False, check_trace=False)
        graph = decoder.TorchScriptPythonDecoder(traced, example_input=inputs)  # must outlive the conversion
        converter = frontend.FrontEndManager().load_by_framework("pytorch")
        model = converter.convert(converter.load(graph))
    model.reshape({port: list(tensor.shape) for port, tensor in zip(model.inputs, inputs, strict=True)})
    return model


def _restored(core: Any, path: Path, settings: dict[str, Any]) -> Any:
    """The compiled network kept at ``path``; None when there is none or it is damaged."""
    try:
        content = path.read_bytes()
        if hashlib.sha256(content[_DIGEST:]).digest() == content[:_DIGEST]:
            return core.import_model(content[_DIGEST:], "CPU", settings)
    except FileNotFoundError:
        return None
    except (OSError, RuntimeError) as error:
        log.info("%s is not used: %s", path, error)
    return None


def _keep(path: Path, blob: bytes) -> None:
    """Write it beside the others, drop the oldest; a cache that cannot be written only costs time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.part")
        part.write_bytes(hashlib.sha256(blob).digest() + blob)
        part.replace(path)
        kept = sorted(path.parent.glob("*.blob"), key=lambda file: file.stat().st_mtime)
        for old in kept[:-KEPT]:
            old.unlink(missing_ok=True)
    except OSError as error:
        log.info("%s cannot be kept: %s", path, error)

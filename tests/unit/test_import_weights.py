"""Published layouts, tensor by tensor: what they map to, what they are called instead, what becomes of their values."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import published_weights as published
import pytest
import torch
from published_weights import cheap, real
from safetensors.torch import save_file
from torch import Tensor

from tracker import boxes, checkpoint, registry
from tracker.api import TrackerError
from tracker.importing import fitting, layouts, resnet
from tracker.importing.convert import LICENCE, Import, examine, write
from tracker.models.build import build
from tracker.zoo import ZOO

SIAMMASK = published.siammask()
SIAMATT = published.siamatt()
FILES = {
    "siamrpnpp-r50": (published.R50, 458),
    "siamrpnpp-r50-lt": (published.R50_LT, 458),
    "siamrpnpp-mobilev2": (published.MOBILE, 450),
    "siamrpnpp-alex": (published.ALEX, 75),
    "siammask-r50": (SIAMMASK, 356),
    "attsiammask-r50": (SIAMMASK, 356),
    "siamatt-r50": (SIAMATT, 554),
    "resnet50-backbone": (published.torchvision_resnet50(), 318),
}


def saved(path: Path, state: object) -> Path:
    torch.save(state, path)
    return path


@pytest.fixture
def alex(tmp_path: Path) -> Path:
    return saved(tmp_path / "model.pth", cheap(published.ALEX))


@pytest.mark.parametrize("tracker", FILES)
def test_every_published_layout_maps_completely(tracker: str, tmp_path: Path) -> None:
    shapes, count = FILES[tracker]
    found = examine(saved(tmp_path / "model.pth", cheap(shapes)), tracker)
    found.require()
    assert (len(found.fit.mapped), found.fit.filled) == (count, ())


def test_siammasks_repository_maps_by_five_prefixes(tmp_path: Path) -> None:
    pairs = dict(published.in_siammasks_repository(SIAMMASK))
    state = cheap(SIAMMASK)
    file = saved(tmp_path / "SiamMask_DAVIS.pth", {"state_dict": {pairs[name]: t for name, t in state.items()}})
    found = examine(file, "siammask-r50")
    found.require()
    assert found.layout == "SiamMask's repository"
    assert {name: found.sources[name] for name in found.fit.mapped} == pairs
    assert len(pairs) == 356
    assert all(torch.equal(found.tensors[name], tensor) for name, tensor in state.items())


def test_siamatts_copies_are_ignored(tmp_path: Path) -> None:
    state = cheap(SIAMATT)
    copies = {
        name.replace(f"{part}.2.", f"{part}_."): tensor
        for part in ("conv_kernel", "conv_search")
        for name, tensor in state.items()
        if f"mods_head.{part}.2." in name
    }
    found = examine(saved(tmp_path / "siamatt.pth", state | copies), "siamatt-r50")
    found.require()
    assert len(found.fit.mapped) == 554
    assert set(found.ignored) == set(copies)
    assert len(copies) == 24


def test_mmtracking_maps_with_its_own_anchors(tmp_path: Path) -> None:
    state = cheap(published.R50)
    pairs = dict(published.in_mmtracking(state))
    file = saved(tmp_path / "lasot.pth", {"meta": {"epoch": 20}, "state_dict": {pairs[n]: t for n, t in state.items()}})
    found = examine(file, "siamrpnpp-r50")
    found.require()
    assert (found.layout, len(found.fit.mapped)) == ("mmtracking", 458)
    changed = {name for name, tensor in state.items() if not torch.equal(found.tensors[name], tensor)}
    assert changed == {f"rpn_head.rpn{n}.loc.head.3.{part}" for n in (2, 3, 4) for part in ("weight", "bias")}

    feature = torch.rand(256)
    for level in (2, 3, 4):
        weight, bias = (f"rpn_head.rpn{level}.loc.head.3.{part}" for part in ("weight", "bias"))
        theirs = (state[weight][:, :, 0, 0] @ feature / 100 + state[bias]).reshape(4, 5)
        ours = (found.tensors[weight][:, :, 0, 0] @ feature / 100 + found.tensors[bias]).reshape(4, 5)
        w, h = torch.tensor([[104, 88, 64, 40, 32], [32, 40, 64, 88, 104]]).double()
        own_w, own_h = torch.tensor(boxes.anchor_shapes(ZOO["siamrpnpp-r50"].net)).double().T
        assert torch.allclose(theirs[0] * w, ours[0] * own_w)
        assert torch.allclose(theirs[1] * h, ours[1] * own_h)
        assert torch.allclose(theirs[2].exp() * w, ours[2].exp() * own_w)
        assert torch.allclose(theirs[3].exp() * h, ours[3].exp() * own_h)


@pytest.mark.parametrize("wrapper", ["state_dict", "model", "net", "state_dict/model"])
@pytest.mark.parametrize("prefix", ["", "module.", "module.module."])
def test_wrappers_and_prefixes_are_opened(wrapper: str, prefix: str, tmp_path: Path) -> None:
    wrapped: object = {prefix + name: tensor for name, tensor in cheap(published.ALEX).items()}
    for key in reversed(wrapper.split("/")):
        wrapped = {"epoch": 20, key: wrapped, "optimizer": {"state": {0: {"step": torch.tensor(3)}}}}
    found = examine(saved(tmp_path / "checkpoint.pth", wrapped), "siamrpnpp-alex")
    found.require()
    assert len(found.fit.mapped) == 75


def test_two_tensors_of_one_name_are_refused(tmp_path: Path) -> None:
    state = cheap(published.ALEX)
    twice = state | {"module.rpn_head.cls.head.3.bias": torch.zeros(10)}
    with pytest.raises(TrackerError, match="1 unexpected"):
        examine(saved(tmp_path / "twice.pth", twice), "siamrpnpp-alex").require()


def test_counters_of_batches_may_be_missing(tmp_path: Path) -> None:
    state = {name: t for name, t in cheap(published.ALEX).items() if not name.endswith("num_batches_tracked")}
    found = examine(saved(tmp_path / "old.pth", state), "siamrpnpp-alex")
    assert (len(found.fit.mapped), len(found.fit.filled)) == (64, 11)
    out = write(found, tmp_path / "new.safetensors")
    assert len(checkpoint.tensors(out)) == 75


@pytest.mark.parametrize(("shapes", "weighted"), [(published.R50_OTB, False), (published.R50, True)])
def test_levels_may_be_averaged_or_weighted(shapes: published.Shapes, weighted: bool, tmp_path: Path) -> None:
    """pysot's files for OTB lack the weights of the levels."""
    found = examine(saved(tmp_path / "model.pth", cheap(shapes)), "siamrpnpp-r50")
    found.require()
    assert found.fit.config == replace(ZOO["siamrpnpp-r50"].net, weighted=weighted)


WRONG = [
    (own, asked)
    for own in ("siamrpnpp-r50", "siamrpnpp-alex", "siammask-r50", "siamatt-r50", "resnet50-backbone")
    for asked in ("siamrpnpp-r50", "siamrpnpp-mobilev2", "siammask-r50", "siamatt-mobile", "resnet50-backbone")
    if own != asked
]


@pytest.mark.parametrize(("own", "asked"), WRONG)
def test_a_file_of_another_network_is_told_by_name(own: str, asked: str, tmp_path: Path) -> None:
    found = examine(saved(tmp_path / "model.pth", cheap(FILES[own][0])), asked)
    with pytest.raises(TrackerError, match=f"looks like {own}; use --as {own}"):
        found.require()
    with pytest.raises(TrackerError, match="nothing was written"):
        write(found, tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()


def test_part_of_a_network_is_refused(tmp_path: Path) -> None:
    state = cheap(SIAMMASK)
    base = {name: tensor for name, tensor in state.items() if not name.startswith("refine_head.")}
    with pytest.raises(TrackerError, match=r"32 missing.*close to siammask-r50"):
        examine(saved(tmp_path / "base.pth", base), "siammask-r50").require()
    state["rpn_head.cls.head.3.bias"] = torch.zeros(12)
    with pytest.raises(TrackerError, match="1 misshapen"):
        examine(saved(tmp_path / "anchors.pth", state), "siammask-r50").require()
    state["rpn_head.cls.head.3.bias"] = torch.zeros(10, dtype=torch.int64)
    with pytest.raises(TrackerError, match="1 misshapen"):
        examine(saved(tmp_path / "integers.pth", state), "siammask-r50").require()


def test_a_network_of_another_field_is_refused_with_what_is_known(tmp_path: Path) -> None:
    file = saved(tmp_path / "gpt.pth", {"wte.weight": torch.zeros(8, 4), "ln.bias": torch.zeros(4)})
    with pytest.raises(TrackerError, match=r"none of the networks known here.*siammask-r50"):
        examine(file, "siammask-r50").require()


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_values_that_are_no_numbers_are_refused(bad: float, tmp_path: Path) -> None:
    state = cheap(published.ALEX)
    state["backbone.features.0.bias"] = torch.tensor([bad] + [0.0] * 95)
    state["backbone.features.4.bias"] = torch.full((256,), bad, dtype=torch.float64)
    with pytest.raises(TrackerError, match=r"backbone\.features\.0\.bias and 1 more hold values that are no numbers"):
        examine(saved(tmp_path / "diverged.pth", state), "siamrpnpp-alex").require()


def test_tensors_larger_than_they_are_stored_take_no_memory(tmp_path: Path) -> None:
    """A stride of nothing makes a terabyte out of four bytes; shapes are compared before values are touched."""
    state = cheap(published.ALEX) | {"conv1.weight": torch.zeros(1).expand(10**6, 10**6)}
    with pytest.raises(TrackerError, match="1 unexpected"):
        examine(saved(tmp_path / "bomb.pth", state), "siamrpnpp-alex").require()
    ordinary = cheap(published.torchvision_resnet50())
    ordinary["layer2.0.downsample.0.weight"] = torch.zeros(1).expand(10**6, 10**6, 1, 1)
    with pytest.raises(TrackerError, match="3 misshapen"):
        examine(saved(tmp_path / "bomb.pth", ordinary), "resnet50-backbone").require()


def outputs(net: torch.nn.Module, search: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(3)
    net.eval()
    with torch.inference_mode():
        kernels = net.embed(torch.rand(1, 3, 127, 127, generator=generator) * 255)
        response = net.match(kernels, torch.rand(1, 3, search, search, generator=generator) * 255)
        found = [response.cls, response.loc]
        if response.features:
            found.append(net.segment(kernels, response.features, torch.tensor([9]), torch.tensor([14])))
    return found


@pytest.mark.parametrize("tracker", ["siamrpnpp-alex", "siammask-r50"])
def test_imported_weights_answer_bit_for_bit_as_the_source(tracker: str, tmp_path: Path) -> None:
    shapes, count = FILES[tracker]
    state = real(shapes)
    config = ZOO[tracker].net
    source = build(config)
    source.load_state_dict(state)
    if tracker == "siammask-r50":
        state = {new: state[old] for old, new in published.in_siammasks_repository(state)}
    found = examine(saved(tmp_path / "model.pth", {"state_dict": state}), tracker)
    out = write(found, tmp_path / "out.safetensors")
    loaded = build(checkpoint.config_of(checkpoint.metadata(out), out))
    checkpoint.load(loaded, out)
    tensors = checkpoint.tensors(out)
    assert len(tensors) == count
    assert all(torch.equal(tensors[name], tensor) for name, tensor in source.state_dict().items())
    for expected, answer in zip(outputs(source, config.search), outputs(loaded, config.search), strict=True):
        assert expected.isfinite().all()
        assert expected.std() > 0
        assert torch.equal(expected, answer)


def test_the_written_file_says_where_it_comes_from(alex: Path, tmp_path: Path) -> None:
    out = write(examine(alex, "siamrpnpp-alex"), tmp_path / "out.safetensors", licence="CC BY-SA 3.0")
    meta = checkpoint.metadata(out)
    assert (meta["licence"], meta["source"], meta["source_layout"]) == ("CC BY-SA 3.0", "model.pth", "pysot")
    assert len(meta["source_sha256"]) == 64
    assert (meta["schema"], meta["architecture"], meta["profile"]) == (checkpoint.SCHEMA, "siamrpn", "vot")
    assert checkpoint.config_of(meta, out) == ZOO["siamrpnpp-alex"].net
    assert {t.dtype for t in checkpoint.tensors(out).values()} == {torch.float32, torch.int64}
    assert write(examine(alex, "siamrpnpp-alex"), tmp_path / "plain.safetensors")
    assert checkpoint.metadata(tmp_path / "plain.safetensors")["licence"] == LICENCE


@pytest.mark.parametrize(("name", "profile"), [("SiamMask_DAVIS.pth", "davis"), ("SiamMask_VOT.pth", "vot")])
def test_the_profile_is_taken_from_the_files_name(name: str, profile: str, tmp_path: Path) -> None:
    found = examine(saved(tmp_path / name, cheap(SIAMMASK)), "attsiammask-r50")
    out = write(found, tmp_path / "out.safetensors", half=True)
    assert checkpoint.metadata(out)["profile"] == profile


def test_halves_keep_what_they_cannot_hold(tmp_path: Path) -> None:
    state = cheap(published.ALEX)
    state["backbone.features.1.running_var"] = torch.full((96,), 1e6)
    file = saved(tmp_path / "model.pth", state)
    out = write(examine(file, "siamrpnpp-alex"), tmp_path / "out.safetensors", half=True)
    tensors = checkpoint.tensors(out)
    assert {name for name, t in tensors.items() if t.dtype == torch.float32} == {"backbone.features.1.running_var"}
    assert out.stat().st_size < 13e6
    net = build(ZOO["siamrpnpp-alex"].net)
    checkpoint.load(net, out)
    assert torch.equal(net.state_dict()["backbone.features.1.running_var"], torch.full((96,), 1e6))


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_other_floats_become_float32(kind: torch.dtype, tmp_path: Path) -> None:
    state = {n: t.to(kind) if t.is_floating_point() else t for n, t in cheap(published.ALEX).items()}
    out = write(examine(saved(tmp_path / "model.pth", state), "siamrpnpp-alex"), tmp_path / "out.safetensors")
    tensors = checkpoint.tensors(out)
    assert all(torch.equal(tensors[name], t.float() if t.is_floating_point() else t) for name, t in state.items())


def test_safetensors_of_others_and_our_own_are_read(tmp_path: Path) -> None:
    state = {name: tensor.clone() for name, tensor in cheap(published.ALEX).items()}
    save_file(state, tmp_path / "theirs.safetensors")
    found = examine(tmp_path / "theirs.safetensors", "siamrpnpp-alex")
    ours = write(found, tmp_path / "ours.safetensors", licence="MIT")
    again = examine(ours, "siamrpnpp-alex")
    assert again.layout == "SiamLabel"
    copy = write(again, tmp_path / "copy.safetensors")
    assert checkpoint.metadata(copy)["licence"] == "MIT"
    assert all(torch.equal(t, state[name]) for name, t in checkpoint.tensors(copy).items())
    with pytest.raises(TrackerError, match=r"backbone alexnet, not resnet50"):
        examine(ours, "siamrpnpp-r50")
    with pytest.raises(TrackerError, match="is the file to import"):
        write(again, ours)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schema": "9"}, "schema 9"),
        ({"config": "{"}, "Expecting property name"),
        ({"config": "[]"}, "no attribute"),
        ({"config": '{"colour": 3}'}, "colour"),
        ({"config": '{"channels": "256"}'}, "its channels is '256'"),
        ({"config": '{"neck": [[256]]}'}, "its neck is"),
    ],
)
def test_a_description_that_this_version_cannot_read_is_refused(change: dict[str, str], words: str) -> None:
    path = Path("weights.safetensors")
    with pytest.raises(TrackerError, match=rf"weights\.safetensors: not weights of this SiamLabel \(.*{words}"):
        checkpoint.config_of({"schema": checkpoint.SCHEMA, "config": "{}"} | change, path)


def test_the_shipped_weights_can_be_checked_again(tmp_path: Path) -> None:
    shipped = registry.resource("weights", "siamatt-mobile.safetensors")
    found = examine(shipped, "default")
    out = write(found, tmp_path / "out.safetensors", half=True)
    assert (found.target, checkpoint.metadata(out)["licence"]) == ("siamatt-mobile", "Apache-2.0")
    tensors = checkpoint.tensors(shipped)
    assert all(torch.equal(t.float(), tensors[name].float()) for name, t in checkpoint.tensors(out).items())


def test_only_networks_have_weights_to_import(alex: Path) -> None:
    with pytest.raises(TrackerError, match="opencv-csrt has no weights to import"):
        examine(alex, "opencv-csrt")
    with pytest.raises(TrackerError, match="no tracker named"):
        examine(alex, "siamfc")


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Tensor], Import]:
    state = real(published.torchvision_resnet50())
    path = saved(tmp_path_factory.mktemp("resnet") / "resnet50-0676ba61.pth", state)
    return state, examine(path, "resnet50-backbone")


def test_imagenet_weights_become_a_dilated_backbone(
    converted: tuple[dict[str, Tensor], Import], tmp_path: Path
) -> None:
    state, found = converted
    out = write(found, tmp_path / "backbone.safetensors")
    meta = checkpoint.metadata(out)
    assert checkpoint.config_of(meta, out) == fitting.BACKBONE_CONFIG
    assert meta["architecture"] == "resnet50"
    assert found.ignored == ("fc.weight", "fc.bias")
    tensors = checkpoint.tensors(out)
    shortcuts = {f"layer{n}.0.downsample.0.weight" for n in (2, 3, 4)}
    changed = {name for name, tensor in tensors.items() if not torch.equal(tensor, state[name])}
    assert changed == {"conv1.weight", "bn1.running_mean", *shortcuts}
    backbone = {name.removeprefix("backbone."): s for name, s in published.R50.items() if name.startswith("backbone.")}
    assert {name: tuple(tensor.shape) for name, tensor in tensors.items()} == backbone
    with pytest.raises(TrackerError, match="architecture resnet50, not siamrpn"):
        examine(out, "siamrpnpp-r50")


def stem(state: dict[str, Tensor], picture: Tensor) -> Tensor:
    out = torch.nn.functional.conv2d(picture, state["conv1.weight"].double(), stride=2)
    mean, var, weight, bias = (
        state[f"bn1.{part}"].double()[:, None, None] for part in ("running_mean", "running_var", "weight", "bias")
    )
    return (out - mean) / (var + 1e-5).sqrt() * weight + bias


def test_the_first_layer_sees_bgr_bytes_as_it_saw_normalised_rgb(converted: tuple[dict[str, Tensor], Import]) -> None:
    state, found = converted
    bgr = torch.randint(0, 256, (1, 3, 63, 63), generator=torch.Generator().manual_seed(1)).double()
    mean, std = (torch.tensor(v, dtype=torch.float64)[:, None, None] for v in (resnet.MEAN, resnet.STD))
    before = stem(state, (bgr.flip(1) / 255 - mean) / std)
    after = stem(dict(found.tensors), bgr)
    assert before.std() > 0.1
    assert torch.allclose(before, after, rtol=0, atol=2e-6 * float(before.abs().max()))


@pytest.mark.parametrize("layer", [2, 3, 4])
def test_the_shortcuts_look_where_they_looked(layer: int, converted: tuple[dict[str, Tensor], Import]) -> None:
    state, found = converted
    name = f"layer{layer}.0.downsample.0.weight"
    features = torch.rand(1, state[name].shape[1], 15, 15, generator=torch.Generator().manual_seed(2))
    # stride 2 without padding in layer 2, stride 1 dilated with padding behind it (reference A.2)
    stride, padding, dilation = {2: (2, 0, 1), 3: (1, 1, 1), 4: (1, 2, 2)}[layer]
    wide = torch.nn.functional.conv2d(features, found.tensors[name], None, stride, padding, dilation)
    inside = features[:, :, 1:-1, 1:-1] if layer == 2 else features
    assert torch.allclose(wide, torch.nn.functional.conv2d(inside, state[name], None, stride), atol=1e-5)


def test_a_backbone_that_is_dilated_already_is_taken_as_it_is(tmp_path: Path) -> None:
    state = cheap(published.resnet50())
    found = examine(saved(tmp_path / "resnet50.model", state), "resnet50-backbone")
    found.require()
    assert all(torch.equal(found.tensors[name], tensor) for name, tensor in state.items())


def test_names_of_unknown_layouts_stay_as_they_are() -> None:
    found = layouts.renamed({"a.weight": torch.zeros(1), "module.b": torch.zeros(1)})
    assert (found.layout, list(found.tensors)) == ("an unknown layout", ["a.weight", "b"])

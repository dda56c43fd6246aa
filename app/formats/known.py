"""The formats of SiamLabel, a line each: id, module and object; in the order in which to offer them."""

from __future__ import annotations

FORMATS = {
    "coco": "app.formats.coco:COCO",
    "coco_vid": "app.formats.coco_vid:COCO_VID",
    "youtube_vis": "app.formats.youtube_vis:YOUTUBE_VIS",
    "tao": "app.formats.tao:TAO",
    "burst": "app.formats.burst:BURST",
    "vot": "app.formats.vot:VOT",
    "lasot": "app.formats.lasot:LASOT",
    "got10k": "app.formats.got10k:GOT10K",
    "trackingnet": "app.formats.trackingnet:TRACKINGNET",
    "otb": "app.formats.otb:OTB",
    "uav123": "app.formats.uav123:UAV123",
    "mot": "app.formats.mot:MOT",
    "mots": "app.formats.mots:MOTS",
    "davis": "app.formats.davis:DAVIS",
    "results": "app.formats.results:RESULTS",
    "cvat": "app.formats.cvat:CVAT",
    "label_studio": "app.formats.label_studio:LABEL_STUDIO",
    "dive": "app.formats.dive:DIVE",
    "yolo": "app.formats.yolo:YOLO",
    "voc": "app.formats.voc:VOC",
    "csv": "app.formats.csv_table:CSV",
}

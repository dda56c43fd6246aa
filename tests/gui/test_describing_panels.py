"""Labels, attributes, comments and history through the window."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QLineEdit
from session_fakes import square

from app.gui.dialogs.labels import NAME, VALUES, LabelsDialog, attribute_of
from app.model.document import Attribute, AttributeKind, Label

CAR = Label(
    "car",
    "#112233",
    (
        Attribute("make", AttributeKind.CHOICE, ("audi", "seat")),
        Attribute("doors", AttributeKind.NUMBER, lowest=0, highest=9),
        Attribute("plate"),
        Attribute("parked", AttributeKind.FLAG, per_frame=True),
    ),
)


@pytest.fixture
def labelled(user):
    user.session.set_labels([CAR, Label("person", "#445566")])
    user.draw(square(0))
    user.window.side.below.show_panel("attributes")
    return user


def test_numbers_give_labels(labelled):
    labelled.key(Qt.Key.Key_2)
    assert labelled.session.document.tracks[1].label == "person"


def test_the_panel_says_attributes_of_track_and_frame(labelled):
    labelled.key(Qt.Key.Key_1)
    panel, track = labelled.window.attributes_panel, labelled.session.document.tracks[1]
    make, doors, plate, parked = (panel.controls[a.name] for a in CAR.attributes)
    assert (type(make), type(doors), type(plate), type(parked)) == (QComboBox, QDoubleSpinBox, QLineEdit, QCheckBox)
    make.setCurrentIndex(2)
    make.activated.emit(2)
    doors.setValue(4)
    labelled.wait(plate.isVisible)
    plate.setFocus()
    QTest.keyClicks(plate, "ABC 1")
    QTest.keyClick(plate, Qt.Key.Key_Return)
    parked.click()
    assert track.attributes == {"make": "seat", "doors": 4.0, "plate": "ABC 1"}
    assert track.at(0).attributes == {"parked": True}
    panel.cover.setCurrentIndex(4)
    panel.cover.activated.emit(4)
    assert track.at(0).cover == 3
    labelled.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert track.at(0).cover is None
    assert panel.cover.currentIndex() == 0


def test_the_panel_follows_selection_and_says_what_to_do_without_one(labelled):
    panel = labelled.window.attributes_panel
    labelled.session.select()
    assert panel._hint.isVisible()
    assert not panel.controls
    assert not panel.label.isVisible()


def test_a_label_can_be_typed_that_is_in_no_set(labelled):
    panel = labelled.window.attributes_panel
    panel.label.setCurrentText("truck")
    panel.label.lineEdit().editingFinished.emit()
    assert labelled.session.document.tracks[1].label == "truck"


def test_comments_are_listed_ticked_and_walked_to(labelled):
    labelled.session.seek(5)
    labelled.session.comment("Blurred", 1)
    labelled.session.seek(0)
    panel = labelled.window.comments_panel
    assert panel.list.count() == 1
    item = panel.list.item(0)
    assert item.text() == "Blurred\nframe 5 · object 1"
    panel.list.itemClicked.emit(item)
    assert labelled.session.frame == 5
    item.setCheckState(Qt.CheckState.Checked)
    assert next(iter(labelled.session.document.comments.values())).resolved
    assert panel.count.text() == "0 open, 1 settled"


def test_the_history_goes_to_any_state(labelled):
    labelled.window.side.above.show_panel("history")
    panel = labelled.window.history_panel
    labelled.key(Qt.Key.Key_2)
    labelled.key(Qt.Key.Key_K)
    titles = [panel.list.item(n).text() for n in range(panel.list.count())]
    assert titles == ["As it was opened", "Change the labels", "New object", "Label as person", "Toggle the keyframe"]
    panel.list.itemClicked.emit(panel.list.item(1))
    assert not labelled.session.document.tracks
    assert panel.list.currentRow() == 1
    panel.list.itemClicked.emit(panel.list.item(4))
    assert labelled.session.document.tracks[1].label == "person"


def test_the_labels_dialog_adds_renames_and_describes(labelled, qtbot):
    dialog = LabelsDialog(labelled.session.document.labels, labelled.window)
    qtbot.addWidget(dialog)
    dialog.list.item(1).setText("pedestrian")
    dialog.list.setCurrentRow(1)
    dialog.add_attribute()
    dialog.table.item(0, NAME).setText("age")
    dialog.table.cellWidget(0, 1).setCurrentIndex(2)
    dialog.table.item(0, VALUES).setText("0 to 120")
    dialog.add_label()
    dialog.accept()
    assert dialog.renamed == {"person": "pedestrian"}
    assert [label.name for label in dialog.labels] == ["car", "pedestrian", "label 1"]
    assert dialog.labels[0] == CAR
    assert dialog.labels[1].attributes == (Attribute("age", AttributeKind.NUMBER, lowest=0, highest=120),)


def test_a_contradiction_is_told_and_nothing_is_lost(labelled, qtbot):
    dialog = LabelsDialog([Label("a", "#000000"), Label("b", "#000000")], labelled.window)
    qtbot.addWidget(dialog)
    dialog.list.item(1).setText("a")
    dialog.accept()
    assert "there twice" in dialog.note.text()
    assert dialog.result() == 0


@pytest.mark.parametrize(
    ("kind", "values", "default", "told"),
    [(AttributeKind.NUMBER, "many", "", "values like 0 to 9"), (AttributeKind.FLAG, "", "maybe", "true or false"),
     (AttributeKind.CHOICE, "", "", "choice without values"), (AttributeKind.CHOICE, "a, b", "c", "own default")],
)  # fmt: skip
def test_attributes_as_typed_are_checked(kind, values, default, told):
    with pytest.raises(ValueError, match=told):
        attribute_of("x", kind, values, default, per_frame=False)

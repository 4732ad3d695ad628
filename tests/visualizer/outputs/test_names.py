"""How outputs are written on the command line."""

from __future__ import annotations

import pytest

from visualizer.errors import UserError
from visualizer.outputs.names import OutputName, split_outputs


def test_a_list_of_outputs() -> None:
    assert split_outputs("camera, ndi") == (OutputName("camera"), OutputName("ndi"))
    assert split_outputs("camera:/dev/video4,syphon") == (OutputName("camera", "/dev/video4"), OutputName("syphon"))


def test_a_command_goes_on_to_the_end_with_its_commas_and_colons() -> None:
    command = "ffmpeg -i - -vf scale=640:-2,hue=s=0 -f flv rtmp://host/live/key"
    assert split_outputs(f"ndi,pipe:{command}") == (OutputName("ndi"), OutputName("pipe", command))
    assert split_outputs("raw-pipe:-") == (OutputName("raw-pipe", "-"),)


def test_where_a_stream_goes_is_not_said() -> None:
    assert [str(each) for each in split_outputs("camera:/dev/video4,pipe:x rtmp://host/key")] == [
        "camera:/dev/video4",
        "pipe",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no output is named"),
        ("vhs", "no output is called 'vhs'; there are: camera, ndi"),
        ("camera,,ndi", "no output is called ''"),
        ("pipe", "say where to"),
        ("pipe:", "say where to"),
        ("ndi:studio", "nothing follows its name"),
        ("ndi,ndi", "is there twice"),
    ],
)
def test_what_makes_no_sense_is_said(text: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        split_outputs(text)

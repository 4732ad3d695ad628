"""One figure more for a pack that has only ONNX: the others are drawn as before, and it dances as one of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.support.made_figures import made_takes
from tests.support.made_figures_pack import COLOURS, figures_pack
from training import dress_dancer
from training.data.figures.figure import Figure, load_people, read_figure
from training.data.footage.clothes import Looks
from training.data.footage.masks import Wish
from training.data.footage.request import Request
from training.dress_dancer import find_free, keep_figures
from training.figure_export import FigureContents, describe_figures, export_figures
from training.figure_recipe import FigureRecipe, begin_decoder
from training.models.figure_decoder import FigureDecoder
from training.models.more_figures import find_alike
from training.models.restore import basis_of
from training.models.restore_figures import load_figure_decoder
from training.new_figure import FigurePlan, check_figure, new_figure
from visualizer.dancer.dancer import Dancer
from visualizer.dancer.pack import load_pack, read_info
from visualizer.errors import UserError
from visualizer.moment import PARTS
from visualizer.support.console import Console

KNOWN = tuple(sorted(load_people(), key=lambda figure: (not figure.flat, figure.name))[:3])
GUEST = "title = 'A guest'\n[hair]\nstyle = 'bun'\n[bottom]\nstyle = 'skirt'\n[colours]\n" + "".join(
    f'{part} = "{colour}"\n' for part, colour in zip(PARTS, COLOURS, strict=True)
)


@pytest.fixture
def guest(tmp_path: Path) -> Figure:
    (tmp_path / "guest.toml").write_text(GUEST, encoding="utf-8")
    return read_figure(tmp_path / "guest.toml")


@pytest.fixture(scope="module")
def dressed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, FigureDecoder]:
    """A small pack whose figures are drawn by a decoder of this program, and the decoder."""
    pack = figures_pack(tmp_path_factory.mktemp("packs") / "made")
    recipe = FigureRecipe(tiny=True, poses=30, channels=8)
    decoder = begin_decoder(recipe, KNOWN, made_takes(tmp_path_factory.mktemp("takes")), basis_of(pack)).eval()
    export_figures(decoder, pack / "figures.onnx")
    info = json.loads((pack / "pack.json").read_text(encoding="utf-8"))
    hands, margins = np.zeros((1, 4), np.float32), np.full((len(KNOWN), 3), 0.05, np.float32)
    info["figures"] = describe_figures(FigureContents(decoder, KNOWN, hands, margins))["figures"]
    (pack / "pack.json").write_text(json.dumps(info), encoding="utf-8")
    return pack, decoder


def test_the_one_who_is_most_alike_wears_and_is_built_alike(guest: Figure) -> None:
    people = load_people()
    for number, figure in enumerate(people):
        assert figure.flat or find_alike(replace(figure, name="other"), people) == number
    assert people[find_alike(guest, people)].bottom.style != "trousers"


@pytest.mark.slow
def test_a_decoder_comes_back_out_of_its_file(dressed: tuple[Path, FigureDecoder], tmp_path: Path) -> None:
    pack, decoder = dressed
    found = load_figure_decoder(pack)
    assert found.config == decoder.config
    state = found.state_dict()
    for name, value in decoder.state_dict().items():
        assert state[name].numpy() == pytest.approx(value.numpy(), abs=1e-6), name
    model = onnx.load(pack / "figures.onnx")
    for initializer in model.graph.initializer:
        if initializer.name == "decoder.likes":
            initializer.name = "decoder.dislikes"
            for node in model.graph.node:
                node.input[:] = ["decoder.dislikes" if n == "decoder.likes" else n for n in node.input]
    tmp_path.joinpath("figures.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(UserError, match="none of this program's"):
        load_figure_decoder(tmp_path)


@pytest.mark.slow
def test_a_new_figure_dances_and_the_others_are_drawn_as_before(
    dressed: tuple[Path, FigureDecoder], guest: Figure, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, out = dressed[0], tmp_path / "more"
    new_figure(guest, before, out, tmp_path / "work", FigurePlan(tiny=True))
    assert "--figure guest" in capsys.readouterr().out
    old, new = load_pack(before, "cpu"), load_pack(out, "cpu")
    assert new.figures is not None
    assert new.figures.names == (*(figure.name for figure in KNOWN), "guest")
    assert new.figures.people[-1].colours[0].tolist() == list(bytes.fromhex(COLOURS[0][1:]))
    latent = np.stack([seed.latent for seed in old.seeds[:3]])
    rng = np.random.default_rng(2)
    given = {
        "latent": latent, "sway": 0.05 * rng.standard_normal((3, 7)).astype(np.float32),
        "hands": rng.random((3, 4), np.float32), "grid_x": np.tile(np.arange(16, 48, dtype=np.float32) + 0.5, (3, 1)),
        "grid_y": np.tile(np.arange(6, 62, dtype=np.float32) + 0.5, (3, 1)),
    }  # fmt: skip
    names = ["frame", "normal", "crease", "parts"]
    one_hot = np.eye(4, dtype=np.float32)[:3]
    for was, now in zip(
        old.figure_decoder.run(names, {**given, "figure": one_hot[:, :3]}),
        new.figure_decoder.run(names, {**given, "figure": one_hot}), strict=True,
    ):  # fmt: skip
        assert (np.abs(was - now) > 1e-3).mean() < 0.001
    dancer = Dancer(new, seed=1)
    dancer.set_figures(("guest",))
    dancer.step_to(2.0)
    assert (dancer.picture(2.0).frames < 0).any()
    told = read_info(out)["training"]["added_figures"]
    assert [each["name"] for each in told] == ["guest"]
    assert told[0]["begun_as"] in new.figures.names[:3]
    assert 0.3 < told[0]["outline_iou"] <= 1
    # Not twice, and not over something else.
    with pytest.raises(UserError, match="has a figure 'guest' already"):
        check_figure(guest, out)
    with pytest.raises(UserError, match="--force"):
        new_figure(guest, before, out, tmp_path / "work", FigurePlan(tiny=True))


def test_who_cannot_be_added_is_said_before_anything_is_made(guest: Figure, tmp_path: Path) -> None:
    pack = figures_pack(tmp_path / "made")
    for figure, said in (
        (replace(guest, flat=True), "silhouette"), (replace(guest, name="Ann"), "already"),
        (replace(guest, title="x" * 61), "at most 60"),
    ):  # fmt: skip
        with pytest.raises(UserError, match=said):
            check_figure(figure, pack)
    with pytest.raises(UserError, match="flat"):
        check_figure(guest, strip_figures(pack))


def strip_figures(pack: Path) -> Path:
    """A pack of flat dancers of the same bodies."""
    (pack / "figures.onnx").unlink()
    info = json.loads((pack / "pack.json").read_text(encoding="utf-8"))
    for key in ("figures", "parts", "hands"):
        del info[key]
    (pack / "pack.json").write_text(json.dumps(info), encoding="utf-8")
    return pack


def test_the_person_of_the_footage_is_one_of_the_figures_and_it_is_said_what_was_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shipped, out = figures_pack(tmp_path / "shipped"), strip_figures(figures_pack(tmp_path / "out"))
    looks = Looks(9, {"top": np.array([200.0, 30, 30])}, None, None, True, True)
    taught: list[tuple[Figure, bool]] = []
    monkeypatch.setattr(dress_dancer, "look_at_person", lambda *_: looks)
    monkeypatch.setattr(dress_dancer, "teach_figure", lambda figure, _pack, _work, plan, _: taught.append(
        (figure, plan.tiny)
    ))  # fmt: skip
    monkeypatch.setattr(dress_dancer, "write_figure", lambda *_: None)
    footage = dress_dancer.Footage([], Request(Wish("key")), tmp_path / "work", tiny=True)
    dress_dancer.dress_dancer(out, shipped, np.arange(6), "zoe", footage, Console(soft_wrap=True))
    ((figure, tiny),) = taught
    assert tiny
    assert (figure.name, figure.colours["top"], figure.bottom.style) == ("zoe", "#c81e1e", "skirt")
    assert read_figure(tmp_path / "work" / "zoe.toml") == figure
    told = read_info(out)["training"]["figure"]
    said = capsys.readouterr().out
    assert all(line in said for line in told["taken"])
    assert any("guessed" in line and "hair" in line for line in told["taken"])
    looks = replace(looks, pictures=0)
    dress_dancer.dress_dancer(out, shipped, np.arange(6), "bea", footage, Console(soft_wrap=True))
    assert len(taught) == 1
    assert "no picture shows bea" in capsys.readouterr().out


def test_a_pack_out_of_footage_keeps_the_figures_that_it_began_from(tmp_path: Path) -> None:
    shipped, out = figures_pack(tmp_path / "shipped"), strip_figures(figures_pack(tmp_path / "out"))
    like = np.array([3, 3, 0, 5, 1, 2])
    keep_figures(out, shipped, like)
    pack, began = load_pack(out, "cpu"), load_pack(shipped, "cpu")
    assert pack.figures is not None
    assert began.figures is not None
    assert pack.figures.names == began.figures.names
    assert pack.figures.hands.tolist() == began.figures.hands[like].tolist()
    assert find_free("zoe", out) == "zoe"
    assert find_free("ann", out) == "ann 2"

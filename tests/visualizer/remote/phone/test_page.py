"""The page in a real browser as large as a phone: it shows what is on, a finger changes it, and nothing is cut off."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pygame
import pytest

from tests.support.browser import PHONE, Browser, Page
from tests.support.live_fakes import make_live
from tests.support.phones import GUEST_TOKEN, HOST_TOKEN, PATIENCE
from tests.support.show_fakes import PICTURE, FakeDancer
from visualizer.cues import Cue, CueList, CuePlayer
from visualizer.remote.phone.phones import Phones
from visualizer.stage.looks import shipped_looks

pytestmark = pytest.mark.slow
TOUCH = 38  # CSS pixels that a thing to press is wide and high at least


class Joints(FakeDancer):
    """Two dancers whose arms swing."""

    troupe = 2

    def picture(self, musical_time: float):
        swing = 0.2 * math.sin(musical_time)
        joints = np.full((2, 21, 2), 0.5, np.float32)
        joints[:, :, 1] = np.linspace(0.2, 0.9, 21)
        joints[:, 8, 0] += swing
        return replace(PICTURE, joints=joints, place=np.array([-0.4, 0.4], np.float32))


class Party:
    """A show in real time, its page, and a browser."""

    def __init__(self, folder: Path) -> None:
        self.live = make_live(dancer=Joints())
        self.port, self._ready, self._ended = 0, threading.Event(), threading.Event()
        plan = {"host": "127.0.0.1", "port": 0, "token": HOST_TOKEN, "guest_token": GUEST_TOKEN}
        self.phones = Phones(plan, list(shipped_looks()), self.live.inbox, self.live.board, self.live.toasts,
                             ready=self._found)  # fmt: skip
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._ready.wait(PATIENCE)
        self.browser = Browser(folder)

    def _found(self, port: int) -> None:
        self.port = port
        self._ready.set()

    def _run(self) -> None:
        while not self._ended.wait(1 / 30):
            now = time.perf_counter()
            self.live.handle([], now)
            self.live.draw_frame(now)

    def open(self, token: str = HOST_TOKEN) -> Page:
        page = self.browser.open_page(f"http://127.0.0.1:{self.port}/{token}/")
        page.wait("state && lists && votes")
        return page

    def close(self) -> None:
        self.browser.close()
        self._ended.set()
        self._thread.join()
        self.phones.close()


@pytest.fixture(scope="module")
def party(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Party]:
    party = Party(tmp_path_factory.mktemp("browser"))
    yield party
    party.close()


@pytest.fixture
def page(party: Party) -> Iterator[Page]:
    page = party.open()
    yield page
    assert page.errors == []
    page.close()


def test_the_page_shows_what_is_on(party: Party, page: Page) -> None:
    page.wait("document.querySelector('[data-kind=style] b').textContent === 'salsa'")
    assert page.run("document.querySelector('#bpm').textContent") == "120"
    assert page.run("document.querySelector('#guest').hidden")
    beats = page.run("beatNow()"), party.live.board.state
    assert beats[1] is not None
    assert abs(beats[0] - beats[1].beat) * 60 / 120 < 1  # both tell of now


def test_a_finger_changes_the_show_and_sees_it(party: Party, page: Page) -> None:
    page.press("#troupe button:nth-child(5)")
    page.wait("document.querySelector('#troupe .on').textContent === '5'")
    assert party.live.show.dancer.troupe == 5
    page.press("nav .black")
    page.wait("document.querySelector('nav .black.on')")
    assert party.live.show.dark
    page.press("nav .black")
    page.wait("!document.querySelector('nav .black.on')")
    before = party.live.show.look.name
    page.press("[data-kind=look] .step:last-child")
    page.wait(f"state.look !== {before!r}")
    page.wait("document.querySelector('#toast.on')")
    page.run("document.querySelector('#temperature').value = 1.2")
    page.run("document.querySelector('#temperature').dispatchEvent(new Event('change'))")
    page.wait("state.temperature === 1.2")


def test_a_look_is_chosen_from_a_list_of_all(party: Party, page: Page) -> None:
    page.press("[data-kind=look] .value")
    page.wait("!document.querySelector('#sheet').hidden")
    assert page.run("document.querySelectorAll('#sheet-list button').length") == len(shipped_looks())
    page.run("[...document.querySelectorAll('#sheet-list button')].find((b) => b.textContent === 'Sunset').click()")
    page.wait("state.look === 'sunset' && document.querySelector('#sheet').hidden")
    assert party.live.show.look.name == "sunset"


@pytest.fixture
def cues(party: Party) -> Iterator[CuePlayer]:
    """Twelve cues, so that they do not all fit."""
    tables = [Cue(f"Cue {k} of the évening", (("troupe", str(k % 9 + 1)),)) for k in range(12)]
    player = party.live.show.cues = CuePlayer(CueList(tuple(tables)))
    yield player
    party.live.show.cues = None


def test_a_cue_is_chosen_from_the_list(party: Party, cues: CuePlayer, page: Page) -> None:
    page.wait("document.querySelectorAll('#cues button').length === 12")
    page.wait("document.querySelector('#cues .on') === document.querySelector('#cues button')")
    page.press("#cues button:nth-child(3)")
    page.wait("document.querySelector('#cues .on b').textContent === 'Cue 2 of the évening' && state.troupe === 3")
    page.press("[data-c='next cue']")
    page.wait("state.cue === 3")
    page.press("[data-c='previous cue']")
    page.wait("state.cue === 2")
    cues.go(11)  # by whatever else: the list follows, and the page stays
    before = page.run("scrollY")
    page.wait("document.querySelector('#cues .on') === document.querySelector('#cues button:last-child')")
    inside = (
        "(() => {const [a, b] = ['#cues', '#cues .on'].map((s) => document.querySelector(s).getBoundingClientRect());"
    )
    assert page.run(f"{inside} return b.top >= a.top && b.bottom <= a.bottom + 1}})()")
    assert page.run("scrollY") == before


def test_without_cues_there_is_no_list(page: Page) -> None:
    page.wait("document.querySelector('#cue-card').hidden")


def test_taps_set_the_tempo(party: Party, page: Page) -> None:
    tempo = party.live.show.tempo
    assert tempo is not None
    for _ in range(4):
        page.press("#tap")
        time.sleep(0.45)  # a hand at about 130 BPM; how fast it is does not matter
    page.wait("document.querySelector('#toast').textContent.startsWith('tap')")
    assert tempo.tapped(time.perf_counter())


def test_a_button_that_is_held_is_learned_and_does_nothing_else(party: Party, page: Page) -> None:
    learned: list[str] = []
    party.live.learn = lambda command: learned.append(command) or "touch a control"
    box = page.run("(() => {const b = document.querySelector('[data-c=reseed]').getBoundingClientRect();"
                   "return [b.x + 20, b.y + 20]})()")  # fmt: skip
    seeds = list(party.live.show.dancer.seeds)  # type: ignore[attr-defined]
    page.call("Page.bringToFront")
    page.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": box[0], "y": box[1]}])
    page.wait(
        "document.querySelector('#toast.on') && document.querySelector('#toast').textContent === 'touch a control'"
    )
    page.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    assert learned == ["reseed"]
    page.press("#tap")
    page.wait("document.querySelector('#toast').textContent.startsWith('tap')")
    assert party.live.show.dancer.seeds == seeds  # type: ignore[attr-defined]


def test_two_phones_are_in_step(party: Party, page: Page) -> None:
    other = party.open()
    page.press("#troupe button:nth-child(8)")
    other.wait("document.querySelector('#troupe .on').textContent === '8'")
    other.press("#sync button:nth-child(2)")
    other.wait("state.sync === 'unison'")
    page.wait("document.querySelector('#sync .on').textContent === 'unison'")
    other.close()


def test_a_guest_votes_and_sees_no_button(party: Party) -> None:
    guest = party.open(GUEST_TOKEN)
    guest.wait("document.querySelectorAll('#vote-look button').length === 4")
    assert guest.run("document.querySelector('#host').hidden && document.querySelector('#bottom').hidden")
    guest.press("#vote-look button:nth-child(2)")
    guest.wait("document.querySelector('#vote-look button:nth-child(2) span').textContent === '1'")
    assert guest.run("document.querySelector('#vote-look button:nth-child(2)').classList.contains('mine')")
    assert guest.errors == []
    guest.close()


def test_nothing_is_cut_off_and_all_is_large_enough_for_a_thumb(party: Party, page: Page) -> None:
    page.run("document.querySelector('details').open = true")
    assert page.run("document.documentElement.scrollWidth") == PHONE[0]
    small = page.run(f"""[...document.querySelectorAll('button, input')].filter((b) => b.offsetParent &&
        (b.getBoundingClientRect().width < {TOUCH} || b.getBoundingClientRect().height < {TOUCH}))
        .map((b) => b.outerHTML.slice(0, 80))""")
    assert small == []
    spilled = page.run("""[...document.querySelectorAll('button')].filter((b) => b.offsetParent &&
        b.scrollWidth > b.clientWidth + 1).map((b) => b.textContent)""")
    assert spilled == []


def test_it_is_dark_and_its_letters_are_read(party: Party, page: Page, tmp_path: Path) -> None:
    page.save(tmp_path / "page.png")
    picture = pygame.surfarray.array3d(pygame.image.load(tmp_path / "page.png")).mean(axis=2)
    assert picture.shape == (2 * PHONE[0], 2 * PHONE[1])
    assert np.median(picture) < 40  # it dazzles nobody in the dark
    assert (picture > 200).mean() > 0.01


def test_dancers_dance_on_the_phone(party: Party, page: Page) -> None:
    page.wait("bodies && bodies.joints.length === 2")
    drawn = "(() => {const c = document.querySelector('#stage'); return c.toDataURL()})()"
    first = page.run(drawn)
    page.wait(f"{drawn} !== {first!r}")


def test_a_show_that_has_gone_is_waited_for(tmp_path: Path) -> None:
    party = Party(tmp_path)
    page = party.open()
    party.phones._process.kill()  # it is started again, on another port for this one: the page waits on
    page.wait("document.body.classList.contains('away')")
    assert page.run("getComputedStyle(document.querySelector('#curtain')).display") == "grid"
    party.close()


def test_it_can_be_kept_as_an_app(party: Party, page: Page) -> None:
    manifest = page.call("Page.getAppManifest")
    assert manifest["errors"] == []
    assert manifest["url"].endswith("/app.webmanifest")
    assert '"standalone"' in manifest["data"]

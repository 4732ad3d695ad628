"""Small files in the form of the Groove MIDI Dataset and of POP909, whose beats are known."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import mido

GROOVE_TAKES = (  # drummer, number, style, BPM, metre, bars
    ("drummer1", "1", "funk-fast", 100, "4-4", 8),
    ("drummer2", "7", "reggae", 75, "4-4", 6),
    ("drummer2", "8", "rock", 120, "3-4", 8),
    ("drummer3", "2", "rock", 120, "4-4", 1),
)


def write_midi(notes: list[tuple[float, float, int, int]], bpm: float, name: str = "", channel: int = 0) -> bytes:
    """Notes (beat, beats, pitch, velocity) as a file of two tracks, 480 ticks a beat."""
    head = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(bpm))])
    track = mido.MidiTrack([mido.MetaMessage("track_name", name=name)])
    events = [(beat, 1, pitch, loud) for beat, _, pitch, loud in notes]
    events += [(beat + beats, 0, pitch, 0) for beat, beats, pitch, _ in notes]
    now = 0
    for beat, _, pitch, loud in sorted(events):
        tick = round(beat * 480)
        track.append(mido.Message("note_on", channel=channel, note=pitch, velocity=loud, time=tick - now))
        now = tick
    out = io.BytesIO()
    mido.MidiFile(ticks_per_beat=480, tracks=[head, track]).save(file=out)
    return out.getvalue()


def make_groove(path: Path) -> Path:
    """Kicks on the beats, snares a little early, hats in eighths by key 22."""
    lines = ["drummer,session,id,style,bpm,beat_type,time_signature,midi_filename,audio_filename,duration,split"]
    with zipfile.ZipFile(path, "w") as archive:
        for drummer, number, style, bpm, meter, bars in GROOVE_TAKES:
            name = f"{drummer}/session1/{number}_{style}_{bpm}_beat_{meter}.mid"
            notes = [(float(b), 0.1, 36, 100) for b in range(0, 4 * bars, 2)]
            notes += [(b + 0.97, 0.1, 38, 90) for b in range(0, 4 * bars, 2)]
            notes += [(h / 2, 0.1, 22, 60) for h in range(8 * bars)]
            archive.writestr(f"groove/{name}", write_midi(notes, bpm, channel=9))
            seconds = 4 * bars * 60 / bpm
            lines.append(f"{drummer},s,i,{style},{bpm},beat,{meter},{name},,{seconds},train")
        archive.writestr("groove/info.csv", "\n".join(lines) + "\n")
    return path


def make_pop909(path: Path, bpm: float = 70.0, bars: int = 16) -> Path:
    """One song in 4/4 whose first beat is at .5 s, with a chord of two notes on each beat, and one song in 3/4."""
    with zipfile.ZipFile(path, "w") as archive:
        for number, meter in (("001", 4), ("002", 3)):
            times = [0.5 + 60 / bpm * k for k in range(meter * bars + 1)]
            beats = "\n".join(f"{t} {float(k % 2 == 0)} {float(k % meter == 0)}" for k, t in enumerate(times))
            chords = "\n".join(
                f"{times[k]}\t{times[k + meter]}\t{('C:maj', 'F#:min7', 'Bb:maj/5', 'N')[k // meter % 4]}"
                for k in range(0, len(times) - meter, meter)
            )
            late = 0.5 * bpm / 60
            notes = [(late + k, 0.9, pitch, 80) for k in range(len(times) - 1) for pitch in (60, 64)]
            archive.writestr(f"POP909/{number}/beat_midi.txt", beats)
            archive.writestr(f"POP909/{number}/chord_midi.txt", chords)
            archive.writestr(f"POP909/{number}/{number}.mid", write_midi(notes, bpm, "PIANO"))
    return path

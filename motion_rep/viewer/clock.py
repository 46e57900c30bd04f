"""The viewer's clock: play, pause, seek and loop."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Clock:
    """The state of playback.

    time: seconds, from 0 up to ``duration``.
    speed: seconds of the motion per second.
    """

    duration: float
    time: float = 0.0
    playing: bool = True
    speed: float = 1.0
    loops: bool = True

    def advanced(self, elapsed: float) -> Clock:
        """The clock ``elapsed`` seconds later; at the end it loops or stops."""
        if not self.playing or self.duration <= 0:
            return self
        time = self.time + elapsed * self.speed
        if time < self.duration:
            return replace(self, time=time)
        return (
            replace(self, time=time % self.duration) if self.loops else replace(self, time=self.duration, playing=False)
        )

    def toggled(self) -> Clock:
        """Toggle between playing and paused; play at the end restarts."""
        again = not self.playing and self.time >= self.duration
        return replace(self, playing=not self.playing, time=0.0 if again else self.time)

    def at(self, time: float) -> Clock:
        return replace(self, time=min(max(time, 0.0), self.duration))


def frame_at(time: float, fps: float, frames: int) -> int:
    """The frame to show at a time; the last one after the end."""
    return min(int(time * fps + 1e-6), frames - 1)

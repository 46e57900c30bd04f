"""The viewer's page: a stage with motions on it and a timeline, served by viser."""

from __future__ import annotations

import contextlib
import io
import threading
import time
from dataclasses import replace
from functools import partial
from typing import Any

import cv2
import numpy as np
import viser

from motion_rep.bodies.body_models import Body
from motion_rep.viewer.clock import Clock
from motion_rep.viewer.own_pages import free_port, other_pages_refused
from motion_rep.viewer.stage import Actor, Shown, camera_pose, field_of_view

SPEEDS = {"1/8": 0.125, "1/4": 0.25, "1/2": 0.5, "1": 1.0, "2": 2.0}
TICK = 1 / 60
FREE = "free"
GHOST = 0.4  # opacity
PICTURE = (1280, 720)  # size of a screenshot if the browser reports none


class Viewer:
    """A running viewer; all motions share one clock, and shorter ones stop at their last frame."""

    def __init__(self, motions: list[Shown], body: Body, host: str = "127.0.0.1", port: int = 8080) -> None:
        port = free_port(host, port)
        with contextlib.redirect_stdout(io.StringIO()), other_pages_refused(host):  # viser announces itself
            self.server = viser.ViserServer(host=host, port=port, label="motion viewer", verbose=False)
        self.server.gui.configure_theme(show_logo=False, show_share_button=False, control_width="medium")
        self.clock = Clock(max(motion.seconds for motion in motions))
        self._lock = threading.Lock()
        self._quiet = False
        self._through: Actor | None = None
        self._behind: tuple[Actor, int] | None = None
        self._dress_stage(motions)
        self.actors = [Actor(self.server.scene, motion, body, number) for number, motion in enumerate(motions)]
        self._add_controls()

    @property
    def address(self) -> str:
        host = self.server.get_host()
        return f"http://{f'[{host}]' if ':' in host else host}:{self.server.get_port()}"

    def run(self) -> None:
        """Play until the program is interrupted."""
        before = time.monotonic()
        while True:
            time.sleep(TICK)
            now = time.monotonic()
            self.tick(now - before)
            before = now

    def tick(self, elapsed: float) -> None:
        """Let ``elapsed`` seconds pass."""
        with self._lock:
            clock = self.clock.advanced(elapsed)
            if clock == self.clock:
                return
            self._set(clock)

    def seek(self, seconds: float) -> None:
        """Jump to a time."""
        with self._lock:
            self._set(self.clock.at(seconds))

    def toggle(self) -> None:
        """Play or pause."""
        with self._lock:
            self._set(self.clock.toggled())

    def step(self, frames: int) -> None:
        """Pause, and step by this many frames of the first motion."""
        fps, frame = self.actors[0].shown.fps, self.actors[0].frame + frames
        last = int(self.clock.duration * fps + 1e-6) - 1
        with self._lock:
            self._set(replace(self.clock, playing=False, time=(min(max(frame, 0), last) + 0.5) / fps))

    def look_through(self, name: str) -> None:
        """Look through the camera of the motion with this name, with its video behind the body; FREE ends this."""
        self._through = next((actor for actor in self.actors if actor.camera and actor.shown.name == name), None)
        self.grid.visible = self._through is None
        self._show_parts()
        if self._through is None:
            self.server.scene.set_background_image(None)
        self._follow()

    def put_in_place(self, in_place: bool) -> None:
        """Show the other motions as ghosts in the place of the first, or side by side."""
        for actor in self.actors[1:]:
            actor.stand_at(self.actors[0].shown.offset if in_place else actor.shown.offset, GHOST if in_place else None)

    def save_picture(self, client: viser.ClientHandle) -> None:
        """Let a browser save its view as a PNG file."""
        width, height = client.camera.image_width or PICTURE[0], client.camera.image_height or PICTURE[1]
        picture = client.get_render(height, width, transport_format="png")
        _, data = cv2.imencode(".png", cv2.cvtColor(np.ascontiguousarray(picture[..., :3]), cv2.COLOR_RGB2BGR))
        first = self.actors[0]
        name = first.shown.name.replace("/", "_")
        client.send_file_download(f"{name}_{first.frame:04d}.png", data.tobytes(), save_immediately=True)

    def _follow(self) -> None:
        """Move the browsers' views to the chosen camera, and put its picture behind the body."""
        actor = self._through
        if actor is None or actor.shown.clip.camera is None:
            return
        turned, place = camera_pose(actor.shown.clip.camera, actor.frame)
        for client in self.server.get_clients().values():
            with client.atomic():
                client.camera.wxyz, client.camera.position = turned, place + np.array(actor.root.position)
                client.camera.fov = field_of_view(actor.shown.clip.camera)
        if self._behind != (actor, actor.frame):
            self._behind = actor, actor.frame
            self.server.scene.set_background_image(actor.picture)

    def stop(self) -> None:
        """Close the page."""
        with contextlib.redirect_stdout(io.StringIO()):
            self.server.stop()

    def _set(self, clock: Clock) -> None:
        self.clock = clock
        for actor in self.actors:
            actor.show(clock.time, self.contacts.value)
        self._quiet = True  # the slider follows the clock here; the user did not move it
        _assign(self.slider, round(clock.time, 3))
        self._quiet = False
        label = "Pause" if clock.playing else "Play"
        if self.play.label != label:
            self.play.label = label
        _assign(self.frames, ", ".join(str(actor.frame) for actor in self.actors))
        self._follow()

    def _dress_stage(self, motions: list[Shown]) -> None:
        scene = self.server.scene
        scene.set_up_direction("+z")
        self.grid = scene.add_grid(
            "/ground",
            width=40.0,
            height=40.0,
            plane="xy",
            cell_size=0.5,
            section_size=1.0,
            infinite_grid=True,
            section_color=(190, 190, 190),
            cell_color=(225, 225, 225),
            plane_opacity=0.35,
        )
        target, eye = first_look(motions)
        self.server.initial_camera.position, self.server.initial_camera.look_at = eye, target

    def _add_controls(self) -> None:
        gui = self.server.gui
        self.play = gui.add_button("Pause", hint="Play or pause")
        self.slider = gui.add_slider(
            "seconds", min=0.0, max=round(self.clock.duration, 3), step=0.001, initial_value=0.0
        )
        self.speed = gui.add_dropdown("speed", tuple(SPEEDS), initial_value="1")
        self.loops = gui.add_checkbox("start over at the end", True)
        self.frames = gui.add_text("frame", "0", disabled=True)
        self.contacts = gui.add_checkbox("feet on the ground", True)
        self.paths = gui.add_checkbox("path of the pelvis", True)
        self.cameras = gui.add_checkbox("cameras", True, visible=any(actor.camera for actor in self.actors))
        self.names = gui.add_checkbox("names", len(self.actors) > 1)
        self._add_views()
        self._show_parts()
        self.play.on_click(lambda _: self.toggle())
        self.slider.on_update(lambda _: None if self._quiet else self.seek(self.slider.value))
        for control in (self.speed, self.loops):
            control.on_update(lambda _: self._change_clock())
        for control in (self.paths, self.cameras, self.names, self.contacts):
            control.on_update(lambda _: self._show_parts())
        for actor in self.actors:
            box = gui.add_checkbox(f"show {actor.shown.name}", True, visible=len(self.actors) > 1)
            box.on_update(partial(_show_actor, actor, box))

    def _add_views(self) -> None:
        """Add the controls for steps, camera, ghosts and pictures."""
        gui = self.server.gui
        gui.add_command("previous frame", hotkey="J").on_trigger(lambda _: self.step(-1))
        gui.add_command("play or pause", hotkey="K").on_trigger(lambda _: self.toggle())
        gui.add_command("next frame", hotkey="L").on_trigger(lambda _: self.step(1))
        steps = gui.add_button_group("step", ("-10", "-1", "+1", "+10"), hint="frames; keys: J, L; K plays and pauses")
        steps.on_click(lambda _: self.step(int(steps.value)))
        cameras = [actor.shown.name for actor in self.actors if actor.camera]
        self.view = gui.add_dropdown("look through", (FREE, *cameras), initial_value=FREE, visible=bool(cameras))
        self.view.on_update(lambda _: self.look_through(self.view.value))
        several = len(self.actors) > 1
        self.in_place = gui.add_checkbox("in one place", False, visible=several, hint="the others become ghosts")
        self.in_place.on_update(lambda _: self.put_in_place(self.in_place.value))
        picture = gui.add_button("Save picture", hint="what you see, as a PNG file")
        picture.on_click(lambda event: None if event.client is None else self.save_picture(event.client))

    def _change_clock(self) -> None:
        with self._lock:
            self.clock = replace(self.clock, speed=SPEEDS[self.speed.value], loops=self.loops.value)

    def _show_parts(self) -> None:
        for actor in self.actors:
            actor.path.visible = self.paths.value
            actor.label.visible = self.names.value
            if actor.camera is not None:
                actor.camera.visible = self.cameras.value and self._through is None
            actor.show(self.clock.time, self.contacts.value)


def _show_actor(actor: Actor, box: viser.GuiCheckboxHandle, _event: object) -> None:
    actor.root.visible = box.value


def _assign(control: Any, value: object) -> None:
    """Set a control's value; type checkers do not see viser's setter."""
    control.value = value


def first_look(motions: list[Shown]) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """The first target and eye position: diagonal, so that cameras in front of people do not hide them."""
    persons = np.mean([motion.offset for motion in motions], axis=0) + (0.0, 0.0, 0.85)
    cameras = [
        camera_pose(motion.clip.camera, 0)[1] + motion.offset for motion in motions if motion.clip.camera is not None
    ]
    ahead = np.clip(0.3 * (np.mean(cameras, axis=0) - persons), -1.0, 1.0) * (1.0, 1.0, 0.0) if cameras else np.zeros(3)
    far = 2.0 + 0.8 * len(motions) + np.linalg.norm(ahead)
    target = persons + ahead
    return tuple(target), tuple(target + far * np.array([0.80, 0.55, 0.30]))

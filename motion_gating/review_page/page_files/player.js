// ---- videos, scrubber and curves of one entry, on one clock that counts the motion's seconds

class Player {
  constructor(details) {
    this.details = details;
    this.time = 0;
    this.playing = false;
    this.clips = [];
    this.lines = [];
    this.trim = null;
    this.videos = make("div", { className: "videos" });
    this.views = viewChips(this);
    this.showPictures();
    this.controls = this.makeControls();
    this.curves = this.makeCurves();
    this.observer = new ResizeObserver(() => this.layout());
    this.observer.observe(this.curves);
  }

  /** Length of the motion in seconds; of its longest video if the motion stores none. */
  get duration() {
    return this.details.seconds || Math.max(0.1, ...this.clips.map(({ node, scale, offset }) => ((node.duration || 0) - offset) / scale));
  }

  /** Make the figures of the views that are shown. */
  showPictures() {
    this.release();
    this.clips = [];
    const pictures = this.details.videos.filter(isShown).map((video) => pictureOf(this, video));
    this.videos.replaceChildren(...pictures);
    this.videos.classList.toggle("many", pictures.length > 4);
  }

  makeControls() {
    this.button = make("button", { type: "button", className: "play", title: "Play or pause (Space)" }, "▶ Play");
    this.button.onclick = () => this.toggle();
    this.slider = make("input", { type: "range", min: 0, max: this.details.seconds || 1, step: "any", value: 0 });
    this.slider.setAttribute("aria-label", "Time in the clip");
    this.slider.oninput = () => this.seek(Number(this.slider.value));
    this.speed = make("select", { title: "Speed", "aria-label": "Speed" }, ...[0.25, 0.5, 1, 2].map((value) => make("option", { value, selected: value === 1 }, `${value}×`)));
    this.speed.onchange = () => { if (this.playing) this.play(); };
    this.clock = make("output");
    const worst = this.details.worst ? make("button", { type: "button", title: "Go to the half second with the most jitter (w)" }, "Worst ½ s") : null;
    if (worst) worst.onclick = () => this.seek(this.details.worst[0]);
    this.strip = make("div", { className: "strip" });
    return make("div", { className: "player" }, this.button, make("div", { className: "scrub" }, this.slider, this.strip), this.clock, this.speed, worst);
  }

  toggle() { if (this.playing) this.pause(); else this.play(); }

  play() {
    if (this.time >= this.duration - 0.5 / this.details.fps) this.seek(0);
    this.playing = true;
    this.button.textContent = "❚❚ Pause";
    const speed = Number(this.speed.value);
    this.from = [performance.now(), this.time, speed];
    for (const { node } of this.clips) node.play().catch(() => {});
    cancelAnimationFrame(this.frame);
    this.tick();
  }

  pause() {
    this.playing = false;
    cancelAnimationFrame(this.frame);
    this.button.textContent = "▶ Play";
    for (const clip of this.clips) {
      clip.node.pause();
      this.place(clip, true);
    }
  }

  tick() {
    const [began, time, speed] = this.from;
    this.time = time + ((performance.now() - began) / 1000) * speed;
    if (this.time >= this.duration) {
      this.time = this.duration;
      this.pause();
    } else {
      this.frame = requestAnimationFrame(() => this.tick());
    }
    for (const clip of this.clips) this.place(clip, false);
    this.mark();
  }

  /** Set a video to the clock's time; while playing, a video that has drifted runs a little faster or slower. */
  place({ node, scale, offset }, exactly) {
    if (!(node.duration > 0)) return;
    const target = Math.min(Math.max(0, offset + this.time * scale), Math.max(0, node.duration - 0.001));
    const late = target - node.currentTime;
    if (exactly || Math.abs(late) > 0.15) node.currentTime = target;
    const hurry = this.playing && Math.abs(late) > 0.01 ? Math.min(0.3, Math.max(-0.3, 2 * late)) : 0;
    const rate = Math.min(16, Math.max(0.07, Number(this.speed.value) * scale * (1 + hurry)));
    if (Math.abs(node.playbackRate - rate) > 0.02 * rate) node.playbackRate = rate;
  }

  seek(time) {
    this.time = Math.min(Math.max(0, time), this.duration);
    if (this.playing) this.play();
    for (const clip of this.clips) this.place(clip, true);
    this.mark();
  }

  /** Step by whole frames, to the middle of a frame, so that rounding does not show its neighbour. */
  step(frames) {
    this.pause();
    const last = Math.max(0, Math.round(this.duration * this.details.fps) - 1);
    const frame = Math.min(last, Math.max(0, Math.floor(this.time * this.details.fps + 1e-6) + frames));
    this.seek((frame + 0.5) / this.details.fps);
  }

  stop() {
    this.pause();
    this.observer.disconnect();
    this.release();
  }

  release() {
    for (const { node } of this.clips) {
      node.onerror = null;
      node.removeAttribute("src"); // frees the decoder
      node.load();
    }
  }

  /** Show the time everywhere: scrubber, clock, curves. */
  mark() {
    this.slider.max = this.duration;
    this.slider.value = this.time;
    this.slider.setAttribute("aria-valuetext", `${this.time.toFixed(2)} seconds of ${this.duration.toFixed(2)}`);
    const frame = Math.floor(this.time * this.details.fps + 1e-6);
    this.clock.textContent = `${this.time.toFixed(2)} / ${this.duration.toFixed(2)} s, frame ${Math.min(frame, (this.details.frames || Infinity) - 1)}`;
    for (const line of this.lines) {
      const x = line.x(this.time);
      line.head.setAttribute("x1", x);
      line.head.setAttribute("x2", x);
      line.now.forEach((node, number) => { node.textContent = valueAt(line.panel.lines[number], this.time); });
    }
  }

  makeCurves() {
    const section = make("section", { className: "card curves", "aria-label": "Curves over time" });
    if (!this.details.panels.length) section.append(make("p", {}, "No curves: this entry has no joints."));
    for (const panel of this.details.panels) {
      const sides = (line) => `key ${["left", "right"][line.curve]}${line.before ? " before" : ""}`;
      const now = panel.lines.map(() => make("span", { className: "now" }));
      const legend = panel.lines.map((line, number) => make("span", {}, make("span", { className: sides(line) }, line.name), " ", now[number]));
      const svg = draw("svg", { role: "img", "aria-label": describe(panel, this.details.worst) });
      svg.addEventListener("pointerdown", (event) => this.drag(event, svg));
      this.lines.push({ panel, svg, now, head: draw("line", { class: "head" }), x: () => 0 });
      section.append(make("div", { className: "curve" }, make("h3", {}, `${panel.title}, ${panel.unit}`, ...legend), svg));
    }
    return section;
  }

  drag(event, svg) {
    if (event.target.dataset.second) return this.seek(Number(event.target.dataset.second));
    const seek = ({ clientX }) => {
      const box = svg.getBoundingClientRect();
      this.seek(((clientX - box.left - MARGIN) / (box.width - 2 * MARGIN)) * this.duration);
    };
    seek(event);
    svg.setPointerCapture(event.pointerId);
    svg.onpointermove = seek;
    svg.onpointerup = svg.onpointercancel = () => { svg.onpointermove = null; };
  }

  /** Mark the worst moments and the trimmed part below the scrubber. */
  showMarks(trim = this.trim) {
    this.trim = trim;
    const place = (second) => `${Math.min(100, (100 * second) / this.duration)}%`;
    const kept = trim ? make("span", { className: "kept" }) : null;
    if (kept) Object.assign(kept.style, { left: place(trim[0]), width: place(trim[1] - trim[0]) });
    const ticks = this.details.moments.map(({ second, words }) => {
      const tick = make("button", { type: "button", title: words, tabIndex: -1 });
      tick.setAttribute("aria-label", words);
      tick.style.left = place(second);
      tick.onclick = () => { this.pause(); this.seek(second); };
      return tick;
    });
    this.strip.replaceChildren(...[kept, ...ticks].filter(Boolean));
  }

  /** Draw the curves for the available width. */
  layout() {
    for (const line of this.lines) drawCurve(line, this.details, this.duration);
    this.showMarks();
    this.mark();
  }
}

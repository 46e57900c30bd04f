// ---- the pictures of one entry: which are shown, the body over its source, and the part of a picture that shows the person

const ON_PHONE = matchMedia("(max-width: 800px)");

const isCandidate = ({ kind }) => kind.startsWith("candidate");

/** The reviewer's choice; else all but the extra ones, and on a phone without the plain source. */
function isShown({ kind, extra }) {
  if (isCandidate({ kind })) return true;
  const chosen = readSetting(`view ${kind}`);
  return chosen === null ? !extra && !(kind === "source" && ON_PHONE.matches) : chosen === "1";
}

function viewChips(player) {
  const chips = player.details.videos.map((video) => {
    const chip = make("button", { type: "button", title: `Show or hide: ${video.title}` }, video.title);
    chip.dataset.view = video.kind;
    chip.setAttribute("aria-pressed", String(isShown(video)));
    chip.onclick = () => {
      writeSetting(`view ${video.kind}`, isShown(video) ? "0" : "1");
      chip.setAttribute("aria-pressed", String(isShown(video)));
      player.showPictures();
    };
    return chip;
  });
  const holder = make("div", { className: "chips views", role: "group" }, ...chips);
  holder.setAttribute("aria-label", "Views");
  holder.hidden = chips.length < 2 || player.details.videos.some(isCandidate);
  return holder;
}

/** The figure of a video; its clips join those that the player synchronises. */
function pictureOf(player, video) {
  const frame = make("div", { className: "frame" });
  const caption = make("figcaption", {}, video.title);
  if (!video.src) {
    frame.append(make("div", { className: "absent" }, "This candidate has no video"));
  } else if (video.below) {
    const source = layer(player, video, video.below, () => {
      source.remove();
      body.style.opacity = 1;
      caption.textContent = "Body on the source (this browser cannot play the source video)";
    });
    const body = layer(player, video, video.src);
    frame.append(source, body);
    caption.append(opacitySlider(body));
  } else {
    frame.append(layer(player, video, video.src));
  }
  return make("figure", { className: video.kind }, frame, caption);
}

function layer(player, { title, scale, offset, crop }, src, failed = null) {
  const node = make("video", { src, muted: true, playsInline: true, preload: "auto", tabIndex: -1 });
  node.setAttribute("aria-label", `${title} of this entry`);
  if (crop) ["left", "top", "width", "height"].forEach((side, number) => { node.style[side] = `${crop[number]}%`; });
  node.classList.toggle("cropped", Boolean(crop));
  const clip = { node, scale, offset };
  node.onerror = () => {
    if (!node.getAttribute("src")) return; // removed on purpose
    player.clips = player.clips.filter((other) => other !== clip);
    if (failed) failed();
    else node.replaceWith(make("div", { className: "absent" }, `This video cannot be shown: ${decoded(src)}`));
  };
  node.onloadedmetadata = () => {
    player.place(clip, true);
    if (player.playing) player.play();
    else player.mark();
  };
  player.clips.push(clip);
  return node;
}

function opacitySlider(body) {
  const slider = make("input", { type: "range", min: 0, max: 1, step: 0.05, value: readSetting("opacity") ?? 0.6, className: "opacity" });
  slider.setAttribute("aria-label", "Opacity of the body");
  slider.title = "Opacity of the body over the source";
  const show = () => { body.style.opacity = slider.value; };
  slider.oninput = () => { show(); writeSetting("opacity", slider.value); };
  slider.onkeydown = (event) => { if (event.key.startsWith("Arrow")) event.stopPropagation(); };
  show();
  return slider;
}

/** Buttons that lead to the worst moments of a clip. */
function momentButtons(player) {
  const buttons = player.details.moments.map(({ second, words }) => {
    const button = make("button", { type: "button", title: "Go to this frame" }, `${second.toFixed(2)} s: ${words}`);
    button.onclick = () => { player.pause(); player.seek(second); };
    return button;
  });
  return buttons.length ? make("div", { className: "moments" }, make("h3", {}, "Worst moments"), ...buttons) : null;
}

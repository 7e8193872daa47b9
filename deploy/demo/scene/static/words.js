// The page's words, in English and Simplified Chinese.
const en = {
  title: "Showroom",
  picture: "Live picture of the showroom: a car on a turntable. Drag or use the arrow keys to look around, plus and minus to zoom, W A S D to move, C to change the colour.",
  connecting: "Connecting to the picture…",
  lost: "The picture is lost. Trying again…",
  stalled: "The picture has stopped. Waiting for it…",
  elsewhere: "This session was opened in another window.",
  here: "Go on here",
  levels: "How much there is to draw",
  level: ["Calm", "Normal", "Busy", "Heavy"],
  hint: "Drag to look around, scroll or pinch to zoom, tap the car to paint it. Keys: arrows, W A S D, + −, C, 1–4.",
};
const zh = {
  title: "展厅",
  picture: "展厅实时画面：转台上的一辆汽车。拖动或按方向键环视，加减键缩放，W A S D 移动，C 换色。",
  connecting: "正在连接画面……",
  lost: "画面已中断，正在重试……",
  stalled: "画面已停住，正在等待……",
  elsewhere: "本会话已在另一个窗口打开。",
  here: "在这里继续",
  levels: "场景的繁简",
  level: ["平静", "普通", "繁忙", "繁重"],
  hint: "拖动环视，滚轮或双指缩放，点击汽车换色。按键：方向键、W A S D、+ −、C、1–4。",
};

/** The words for a list of wanted languages, the first first. */
export function words(wanted) {
  for (const tag of wanted) {
    if (/^zh\b/i.test(tag ?? "")) return { lang: "zh-CN", ...zh };
    if (/^en\b/i.test(tag ?? "")) return { lang: "en", ...en };
  }
  return { lang: "en", ...en };
}

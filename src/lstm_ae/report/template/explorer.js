// Each explorer shows one sequence, and what the decoder answers where its code is moved. Every answer was computed before.
for (const explorer of document.querySelectorAll("[data-explorer]")) {
  const { steps, directions, lines } = JSON.parse(explorer.querySelector("script").textContent);
  const choice = Object.fromEntries([...explorer.querySelectorAll("[data-choice]")].map((control) => [control.dataset.choice, control]));

  function show() {
    const { item, direction, step } = Object.fromEntries(Object.entries(choice).map(([name, control]) => [name, Number(control.value)]));
    const amount = `${steps[step] > 0 ? "+" : ""}${steps[step]} standard deviations`.replace("-", "−");
    explorer.querySelector("output").value = amount;
    choice.step.setAttribute("aria-valuetext", amount);
    for (const element of explorer.querySelectorAll("[data-item]")) {
      element.hidden = Number(element.dataset.item) !== item;
    }
    for (const sheet of explorer.querySelectorAll(".answers")) {
      sheet.style.translate = `${(-100 * step) / steps.length}% ${(-100 * direction) / directions}%`;
    }
    explorer.querySelectorAll(`[data-item="${item}"] .panels .moved`).forEach((line, column) => {
      const { x, y } = lines[item];
      line.setAttribute("d", "M" + y[direction][step][column].map((height, t) => `${x[t]} ${height}`).join("L"));
    });
  }

  for (const controls of explorer.querySelectorAll(".controls")) controls.hidden = false;
  explorer.addEventListener("input", show);
  show();
}

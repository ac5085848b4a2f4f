"use strict";
{
  const {
    strings,
    dom: { find, on, element, button, setText },
  } = Papo;

  const panel = find("busca");
  const field = find("buscado");
  const list = find("resultados");
  const status = find("achados");
  const hooks = {};

  function close() {
    if (panel.hidden) return false;
    panel.hidden = true;
    list.replaceChildren();
    setText(status, "");
    hooks.onClose();
    return true;
  }

  function submit() {
    const query = field.value.trim();
    if (query === "") return;
    setText(status, strings.loading);
    hooks.onSearch(query);
  }

  function open(query) {
    panel.hidden = false;
    if (query) field.value = query;
    field.focus();
    field.select();
    if (query) submit();
  }

  function result({ seq, from, at, text }) {
    const when = element(
      "span",
      "time",
      ` ${strings.dayName(at)}, ${strings.time(at)}`,
    );
    const node = button(
      "result",
      element("span", `author ${Papo.names.colour(from)}`, from),
      () => {
        close();
        hooks.onChoose(seq);
      },
    );
    node.append(when, element("span", "excerpt", text));
    return element("li", "", node);
  }

  on(find("buscar-form"), "submit", (event) => {
    event.preventDefault();
    submit();
  });
  on(find("voltar"), "click", close);

  Papo.search = {
    hooks,
    open,
    close,
    show({ query, entries, more }) {
      setText(status, strings.found(query, entries.length, more));
      list.replaceChildren(...entries.map(result));
    },
    fail: (reason) => setText(status, reason),
  };
}

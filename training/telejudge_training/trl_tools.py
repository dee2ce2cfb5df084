"""A world's tool as a method that TRL and transformers can read: type hints and a docstring.

    method = method_of(spec, lambda self, name, arguments: self._call(name, arguments))

transformers makes the schema that a model sees from the method's signature, hints and Google-style
docstring, so those are written from the world's own JSON schema. What Python's hints cannot say
(bounds, defaults other than by name, objects' inner fields) is said nowhere; the world checks it.
Whatever arguments a call has are handed on, since answering wrong ones is the world's business.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_origin

from telejudge_envs.nouns.message import ToolSpec

Handler = Callable[[Any, str, dict[str, Any]], str]
"""From the instance, the tool's name and the arguments to what the model reads."""

_TYPES: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "object": dict,
    "null": type(None),
}

_SECTION = re.compile(r"\b(Args|Returns|Raises):")
"""What ends a description in a Google-style docstring."""


def method_of(spec: ToolSpec, handler: Handler) -> Callable[..., str]:
    """A function for a class's body, named as the tool."""

    def method(self: Any, **arguments: Any) -> str:
        return handler(self, spec.name, arguments)

    hints = {name: hint_of(one, spec.parameters) for name, one in _properties(spec).items()}
    required = set(spec.parameters.get("required", ()))
    method.__name__ = method.__qualname__ = spec.name
    method.__doc__ = docstring_of(spec)
    method.__annotations__ = {**hints, "return": str}
    given = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=hint,
            default=inspect.Parameter.empty
            if name in required
            else _properties(spec)[name].get("default"),
        )
        for name, hint in hints.items()
    ]
    itself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    signature = inspect.Signature([itself, *given], return_annotation=str)
    setattr(method, "__signature__", signature)  # noqa: B010 (functions have no such field)
    return method


def hint_of(schema: Mapping[str, Any], whole: Mapping[str, Any]) -> Any:
    """The type hint for a JSON schema; `whole` holds its `$defs`. Any for what no hint can say."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return hint_of(whole.get("$defs", {}).get(name, {}), whole)
    if "enum" in schema:
        return Literal[tuple(schema["enum"])]
    kinds = schema.get("anyOf") or [{"type": one} for one in _listed(schema.get("type"))]
    if len(kinds) > 1:
        return _union([hint_of(kind, whole) for kind in kinds])
    kind = kinds[0] if kinds else {}
    if kind.get("type") == "array":
        items = schema.get("items") or kind.get("items")
        return list[hint_of(items, whole)] if items else list
    return _TYPES.get(str(kind.get("type")), Any)


def _listed(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [given]


def _union(hints: list[Any]) -> Any:
    """One hint of several; `str` beside choices is left out, for the choices tell more."""
    if any(get_origin(hint) is Literal for hint in hints):
        hints = [hint for hint in hints if hint is not str]
    union = hints[0]
    for hint in hints[1:]:
        union |= hint
    return union


def docstring_of(spec: ToolSpec) -> str:
    """The tool's description and its arguments', as Google writes them."""
    lines = [_SECTION.sub(r"\1 -", spec.description).strip() or spec.name]
    properties = _properties(spec)
    if properties:
        lines += ["", "Args:"]
        lines += [f"    {name}: {_said(one) or name}" for name, one in properties.items()]
    return "\n".join([*lines, "", "Returns:", "    What the tool answers."])


def _said(schema: Mapping[str, Any]) -> str:
    return " ".join(_SECTION.sub(r"\1 -", str(schema.get("description", ""))).split())


def _properties(spec: ToolSpec) -> dict[str, dict[str, Any]]:
    return spec.parameters.get("properties", {})


HERMES = {
    "type": "object",
    "x-regex": r"^(?P<content>(?:(?!<tool_call>)[\s\S])*?)\s*"
    r"(?P<tool_calls>(?:<tool_call>(?:(?!</tool_call>)[\s\S])+</tool_call>\s*)+)?"
    r"(?:<\|im_end\|>|$)",
    "properties": {
        "role": {"const": "assistant"},
        "content": {"type": "string"},
        "tool_calls": {
            "type": "array",
            "x-regex-iterator": r"<tool_call>\s*(.+?)\s*</tool_call>",
            "items": {
                "type": "object",
                "x-parser": "json",
                "x-parser-args": {"transform": "{type: 'function', function: @}"},
            },
        },
    },
}
"""How transformers before 5.13 reads `<tool_call>{"name": …, "arguments": {…}}</tool_call>`."""


def readable(tokenizer: Any) -> Any:
    """The tokenizer with a way to read tool calls: TRL's where it knows the chat template, the
    hermes format where it does not (our tiny models)."""
    from trl.chat_template_utils import add_response_schema

    try:
        return add_response_schema(tokenizer)
    except ValueError:
        tokenizer.response_schema = HERMES
        return tokenizer

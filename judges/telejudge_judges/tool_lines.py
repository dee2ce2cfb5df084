"""Tool schemas as a judge sees them: a tool a line.

    tool_line(spec)
    -> "set_hub_port(port_id: string, state: up|down, token?: string) [write] Open or shut a port."

Of a JSON schema only what tells a right call from a wrong one is kept: names, types, enumerations,
what is optional, the effect and whose tool it is.
"""

from __future__ import annotations

from typing import Any

from telejudge_envs.nouns.message import ToolSpec
from telejudge_judges.evidence import printable

DESCRIPTION = 160
"""Characters of a tool's description that are shown."""


def tool_line(tool: ToolSpec) -> str:
    """`name(arg: type, optional?: type) [effect] what it does`, on one line."""
    required = set(tool.parameters.get("required", ()))
    arguments = ", ".join(
        f"{name}{'' if name in required else '?'}: {_type_of(schema)}"
        for name, schema in tool.parameters.get("properties", {}).items()
    )
    about = " ".join(tool.description.split())
    about = about if len(about) <= DESCRIPTION else f"{about[: DESCRIPTION - 1]}…"
    owner = ", user's" if tool.owner == "user" else ""
    return printable(f"{tool.name}({arguments}) [{tool.effect}{owner}] {about}")


def _type_of(schema: dict[str, Any]) -> str:
    """A JSON schema in a few characters: `string`, `up|down`, `string[]`, `{site, reason}[]`."""
    if "enum" in schema:
        return "|".join(str(value) for value in schema["enum"])
    if "anyOf" in schema:
        return "|".join(_type_of(option) for option in schema["anyOf"])
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if schema.get("type") == "array" and isinstance(schema.get("items"), dict):
        of = _type_of(schema["items"])
        return f"({of})[]" if "|" in of else f"{of}[]"
    if schema.get("type") == "object" and isinstance(schema.get("properties"), dict):
        return f"{{{', '.join(schema['properties'])}}}"
    return str(schema.get("type", "any"))

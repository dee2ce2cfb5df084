"""A server's answer, whole or streamed, as a Completion.

    read_answer(json, retries=0, seconds=1.5)          # raises Trouble when it holds none
    await assemble(chunks)                             # the same JSON from a stream's chunks

Whatever a server may send is data here: nothing but Trouble is raised.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from telejudge_envs.chat_format import REASONING_FIELDS, from_openai
from telejudge_envs.endpoint import Completion, Prices
from telejudge_envs.nouns.trajectory import Usage
from telejudge_envs.retry import Trouble


def read_answer(raw: Any, retries: int, seconds: float, prices: Prices | None = None) -> Completion:
    """The Completion in an answer; raises Trouble when it holds none or a refusal."""
    answer = _object(raw)
    spent = _object(answer.get("usage"))
    tokens = (_count(spent.get("prompt_tokens")), _count(spent.get("completion_tokens")))
    choices = answer.get("choices")
    choice = _object(choices[0]) if isinstance(choices, list) and choices else {}
    said = choice.get("message")
    if not isinstance(said, dict):
        what = f"sent an answer without choices: {str(raw)[:300]}"
        raise Trouble("bad_response", what, tokens=tokens)
    if said.get("refusal") or choice.get("finish_reason") == "content_filter":
        what = f"refused: {said.get('refusal') or 'content filter'}"
        raise Trouble("refused", what, tokens=tokens)
    scored = _object(choice.get("logprobs")).get("content")
    try:
        message = from_openai(said)
        logprobs = tuple(t["logprob"] for t in scored) if scored else None
    except (AttributeError, TypeError, KeyError) as error:
        what = f"sent a message of an unknown form: {str(said)[:300]}"
        raise Trouble("bad_response", what, tokens=tokens) from error
    return Completion(
        message=message,
        usage=Usage(
            prompt_tokens=tokens[0],
            completion_tokens=tokens[1],
            requests=retries + 1,
            retries=retries,
            seconds=seconds,
            cost_usd=prices.cost(*tokens, cached_tokens(spent)) if prices else 0.0,
        ),
        finish_reason=str(choice.get("finish_reason") or "stop"),
        retries=retries,
        logprobs=logprobs,
    )


def cached_tokens(spent: dict[str, Any]) -> int:
    """Prompt tokens that the server had in its cache: OpenAI's and vLLM's field, or DeepSeek's."""
    details = _object(spent.get("prompt_tokens_details"))
    return _count(details.get("cached_tokens") or spent.get("prompt_cache_hit_tokens"))


async def assemble(chunks: AsyncIterator[Any]) -> dict[str, Any]:
    """The answer that a stream's chunks make; raises Trouble when it ends before it is whole."""
    said: dict[str, Any] = {"content": "", "tool_calls": []}
    choice: dict[str, Any] = {"message": said, "finish_reason": None}
    usage: Any = None
    async for chunk in chunks:
        part = _object(chunk)
        usage = part.get("usage") or usage
        choices = part.get("choices")
        if not isinstance(choices, list) or not choices:
            continue
        first = _object(choices[0])
        _add(said, _object(first.get("delta")))
        choice["finish_reason"] = first.get("finish_reason") or choice["finish_reason"]
    if choice["finish_reason"] is None:
        raise Trouble("connection", "ended its stream before the answer was whole", again=True)
    return {"choices": [choice], "usage": usage}


def _add(said: dict[str, Any], delta: dict[str, Any]) -> None:
    for name in ("content", "refusal", *REASONING_FIELDS):
        if isinstance(delta.get(name), str):
            said[name] = said.get(name, "") + delta[name]
    for given in delta.get("tool_calls") or ():
        call = _object(given)
        calls = said["tool_calls"]
        index = call.get("index")
        known = next((c for c in calls if index is not None and c["index"] == index), None)
        if known is None:
            known = {"index": index, "id": None, "function": {"name": "", "arguments": ""}}
            calls.append(known)
        known["id"] = call.get("id") or known["id"]
        function = _object(call.get("function"))
        for name in ("name", "arguments"):
            known["function"][name] += function.get(name) or ""


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(value: Any) -> int:
    return value if isinstance(value, int) else 0

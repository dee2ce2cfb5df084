"""A LangGraph state graph for one episode: plan, act, hand over, verify before closing.

    graph = episode_graph(checkpointer)
    config = {"configurable": {"thread_id": "…", "ask": ask, "closing": frozenset({"done"})}}
    await graph.ainvoke({"messages": [...]}, config)          # stops at the hand-over
    await graph.ainvoke(Command(resume=[...]), config)        # what the world answered

```
plan ──► act ──► hand over (interrupt) ──► act …
           └─ a closing call ──► verify ──► hand over
```

`ask(messages, tools: bool)` is the chat model. The world's tools run outside: the graph stops with
an interrupt that holds the assistant message, which is where a checkpointer saves it, and goes on
with the messages that came back. Messages are LangChain's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Literal, TypedDict

from telejudge_envs.errors import MissingExtraError

try:
    from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage
    from langchain_core.runnables import RunnableConfig
    from langgraph.graph import START, StateGraph
    from langgraph.graph.message import add_messages
    from langgraph.types import interrupt
except ImportError as missing:
    raise MissingExtraError(missing.name or "langgraph", "langgraph") from missing

PLAN = (
    "Before you act: write a plan of at most six short lines. Say what could be wrong, which "
    "readings tell it apart, and what the policy demands before and after a change. Call no tool."
)
VERIFY = (
    "You are about to close the case. Has a reading, made after the last change, shown that the "
    "problem is gone, and did you do all that the policy demands? If so, make the same closing "
    "call again. If not, make the one call that is missing instead."
)

Ask = Callable[[Sequence[Any], bool], Awaitable[AIMessage]]


class State(TypedDict):
    """What a checkpoint holds of an episode."""

    messages: Annotated[list[AnyMessage], add_messages]
    plan: str
    draft: AIMessage
    """What `act` wants to say, or `verify` instead of it; not yet handed over."""


Update = dict[str, Any]


async def plan(state: State, config: RunnableConfig) -> Update:
    said = await _ask(config)([*state["messages"], HumanMessage(PLAN)], False)
    return {"plan": str(said.text).strip()}


async def act(state: State, config: RunnableConfig) -> Update:
    return {"draft": await _ask(config)(_with_plan(state), True)}


async def verify(state: State, config: RunnableConfig) -> Update:
    said = await _ask(config)([*_with_plan(state), HumanMessage(VERIFY)], True)
    return {"draft": said if said.tool_calls else state["draft"]}


def hand_over(state: State) -> Update:
    """Comes back with the draft as the world wrote it down (with its own ids), and the answers."""
    return {"messages": interrupt(state["draft"])}


def next_after_act(state: State, config: RunnableConfig) -> Literal["verify", "hand_over"]:
    closing = config["configurable"]["closing"]  # pyright: ignore[reportTypedDictNotRequiredAccess]
    closes = any(call["name"] in closing for call in state["draft"].tool_calls)
    return "verify" if closes else "hand_over"


def episode_graph(checkpointer: Any = None) -> Any:
    """The compiled graph; any LangGraph checkpointer, None for none."""
    graph = StateGraph(State)
    for node in (plan, act, verify, hand_over):
        graph.add_node(node.__name__, node)
    graph.add_edge(START, "plan")
    graph.add_edge("plan", "act")
    graph.add_conditional_edges("act", next_after_act)
    graph.add_edge("verify", "hand_over")
    graph.add_edge("hand_over", "act")
    return graph.compile(checkpointer=checkpointer)


def _ask(config: RunnableConfig) -> Ask:
    return config["configurable"]["ask"]  # pyright: ignore[reportTypedDictNotRequiredAccess]


def _with_plan(state: State) -> list[AnyMessage]:
    """The conversation, with the plan at the end of the system message."""
    head, *rest = state["messages"]
    text = f"{head.text}\n\n<your_plan>\n{state.get('plan', '')}\n</your_plan>"
    return [SystemMessage(text), *rest]

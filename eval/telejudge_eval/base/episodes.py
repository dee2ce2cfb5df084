"""The sections with tools: tau2's Telecom test tasks and base stations, solo, judged by truth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from telejudge_agents.runner import run_episodes
from telejudge_envs.nouns.task import Task
from telejudge_envs.nouns.trajectory import Rollout
from telejudge_envs.protocol import World
from telejudge_envs.registry import open_world
from telejudge_eval.agent_eval.records import Episode, episodes_of
from telejudge_eval.agent_measures import judged_by_verifier
from telejudge_eval.base.questions import Tell, drawn
from telejudge_eval.base.records import Item
from telejudge_eval.base.settings import BaseSettings
from telejudge_eval.base.speakers import Speaker

WORLDS = {"tau2": "tau2-telecom", "base_station": "base-station"}


def tasks_of(section: str, settings: BaseSettings) -> tuple[World, list[Task]]:
    """The world, and its sampled test tasks with as many steps as the settings allow."""
    world = open_world(WORLDS[section])
    count = settings.tau2 if section == "tau2" else settings.base_station
    tasks = drawn(world.tasks("test", "solo"), count, settings.seed, section)
    return world, [
        task.model_copy(
            update={"view": task.view.model_copy(update={"max_steps": settings.max_steps})}
        )
        for task in tasks
    ]


async def play(
    section: str, speaker: Speaker, settings: BaseSettings, out: Path, on_progress: Tell
) -> list[Item]:
    """An episode a task; `out` keeps them. What is there is not played again, unless it failed by
    somebody else's fault than the agent's."""
    world, tasks = tasks_of(section, settings)
    rollouts = await run_episodes(
        world,
        tasks,
        speaker.agents(settings.turn_tokens),
        seed=settings.seed,
        concurrency=1,
        deadline_s=settings.deadline,
        out=out,
        retry_failed=True,  # as questions that nobody answered are asked again
        on_progress=lambda now: on_progress(section, now.done, now.total),
    )
    return items_of(section, rollouts)


def items_of(section: str, rollouts: Sequence[Rollout]) -> list[Item]:
    """Success as the score; reasonableness, our reward and calls beside it."""
    by_id = {r.trajectory.id: r.trajectory for r in rollouts}
    episodes = [
        episode
        for groups in judged_by_verifier(rollouts).values()
        for episode in episodes_of(groups, open_world)
    ]
    return [_item(section, e, by_id[e.id].usage.completion_tokens) for e in episodes]


def _item(section: str, episode: Episode, said: int) -> Item:
    extra = {"calls": float(episode.calls)}
    if episode.tools is not None and episode.reward is not None:
        extra |= {"tools": episode.tools, "reward": episode.reward}
    return Item(
        section=section,
        id=episode.task_id,
        part=episode.stop,
        score=None if episode.success is None else float(episode.success),
        why=episode.excused or "",
        unread=episode.calls == 0 and episode.excused is None,
        extra=extra,
        prompt_tokens=(episode.tokens or 0) - said if episode.tokens else 0,
        completion_tokens=said,
        seconds=episode.seconds,
    )

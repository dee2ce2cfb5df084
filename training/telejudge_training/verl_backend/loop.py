"""verl's agent loop over any of our worlds: a row of the data in, an AgentLoopOutput out.

Registered as `telejudge` by plugin.py; verl makes one for each rollout. What it plays and by whom
it is judged stands in `rollout.custom.telejudge` (settings.py). The row names the task; the prompt
is made here, from the world's own messages and tools.

What training sees of a rollout without a score (the judge abstained, the policy's server failed,
it came late): a loss mask of zeros and the mean of its siblings' rewards, so that it teaches
nothing and moves no average. A group in which fewer than two were scored raises GroupLostError in
all its members, which is how verl is told to leave a whole group out.
"""

# pyright: reportMissingImports=false
# (verl is an extra: types are checked without it as well)

from __future__ import annotations

import math
from typing import Any

from verl.experimental.agent_loop.agent_loop import AgentLoopBase, AgentLoopMetrics, AgentLoopOutput

from telejudge_envs.errors import TelejudgeError
from telejudge_envs.nouns.trajectory import Rollout
from telejudge_envs.slots import kinds_of
from telejudge_training.speech import Budget, TokenAgent, TokenAgents
from telejudge_training.verl_backend.continuous import ContinuousVoice
from telejudge_training.verl_backend.office import Ticket, office_of
from telejudge_training.verl_backend.record import metrics_of
from telejudge_training.verl_backend.settings import loop_settings
from telejudge_training.verl_backend.shares import Share

UNKNOWN = float("nan")
"""The reward of a validation rollout that nobody could score; in training there is none such."""


class GroupLostError(TelejudgeError):
    """Fewer than two of a group were scored: there is nothing to compare."""


class WorldAgentLoop(AgentLoopBase):
    """One rollout."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.pop("tools", None)  # the world has its own
        super().__init__(*args, **kwargs)
        self.settings = loop_settings(self.rollout_config.get("custom"))
        self.office = office_of(self.settings)

    async def run(self, sampling_params: dict[str, Any], **row: Any) -> AgentLoopOutput:
        """Play, wait for the group's verdict, and say what verl needs of it.

        Raises UsageError for a row or a length that does not fit, GroupLostError for a group that
        has nothing to teach.
        """
        config = self.rollout_config
        ticket = self.office.ticket(row, {True: config.n, False: config.val_kwargs.n})
        voice = ContinuousVoice(self, sampling_params, config.multi_turn.format)
        budget = Budget(config.prompt_length, config.response_length, self.settings.turn_tokens)
        agents = TokenAgents(_name_of(self.config), voice, budget, kinds_of(self.tokenizer))
        async with self.office.barrier.seat(ticket.place, ticket.task.view) as seat:
            rollout, agent = await self.office.play(ticket, agents)
            share = await seat.deliver(rollout)
        return self._output(ticket, rollout, share, agent, voice)

    def _output(
        self,
        ticket: Ticket,
        rollout: Rollout,
        share: Share,
        agent: TokenAgent | None,
        voice: ContinuousVoice,
    ) -> AgentLoopOutput:
        tape = agent.tape if agent else None
        end = [voice.end_id]  # verl needs a token to put a reward on, even where none was said
        most = self.rollout_config.response_length
        response = (tape.response if tape else [])[:most] or end
        mask = (tape.mask if tape else [])[:most] or [0]
        logprobs = [0.0] if tape is None or not tape.mask else tape.logprobs
        if share.masked is not None:
            mask = [0] * len(mask)
        usage, seconds = rollout.trajectory.usage, agent.model_seconds if agent else 0.0
        judged_s = share.judged.judged_s if share.judged else 0.0
        return AgentLoopOutput(
            prompt_ids=(tape.prompt if tape else []) or end,
            response_ids=response,
            response_mask=mask,
            response_logprobs=None if logprobs is None else logprobs[:most],
            reward_score=self._reward(ticket, rollout, share),
            num_turns=len(rollout.trajectory.messages),
            metrics=AgentLoopMetrics(
                generate_sequences=seconds,
                tool_calls=max(0.0, usage.seconds - seconds),
                compute_score=judged_s,
            ),
            extra_fields={
                **voice.extra_fields,
                "reward_extra_info": _facts(rollout, share, agent),
                "turn_scores": [],
                "tool_rewards": [],
            },
        )

    def _reward(self, ticket: Ticket, rollout: Rollout, share: Share) -> float:
        if not ticket.training and self.settings.validate_with == "world":
            known = rollout.outcome is not None and not rollout.outcome.faults
            return rollout.outcome.world_reward if known and rollout.outcome else UNKNOWN
        if not ticket.training:
            return UNKNOWN if share.reward is None else share.reward
        judged = share.judged.reward if share.judged else None
        if judged is None or judged.dropped or share.neutral is None:
            why = share.judged.trouble if share.judged and share.judged.trouble else share.masked
            raise GroupLostError(f"group {ticket.place.uid} teaches nothing: {why}")
        return share.neutral if share.reward is None else share.reward


def _facts(rollout: Rollout, share: Share, agent: TokenAgent | None) -> dict[str, Any]:
    """Numbers that verl averages in validation; None where there is none.

    None of them is called `acc`: of that one verl makes 0 for rollouts that are missing.
    """
    told = metrics_of(rollout)
    cut = agent.cut if agent else None
    return {
        "success": told["success"],
        "judge_reward": share.reward,
        "masked": float(share.masked is not None),
        "calls": told["calls"],
        "turns": told["turns"],
        "agent_tokens": told["tokens"],
        "cut_turn": float(cut == "turn"),
        "cut_response": float(cut == "response"),
        "max_steps": float(told["stop"] == "max_steps"),
        "closed": float(told["stop"] in ("agent_stop", "user_stop")),
        "protocol_error": float(told["stop"] == "agent_error"),
        "stop": told["stop"],
        "waited_s": share.judged.waited_s if share.judged else math.nan,
    }


def _name_of(config: Any) -> str:
    return str(config.actor_rollout_ref.model.path).rstrip("/").rsplit("/", 1)[-1]

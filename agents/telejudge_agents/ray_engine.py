"""The runner's episodes in many processes, on this machine or a Ray cluster: the one file for Ray.

    engine = RayEngine(make, concurrency=256, workers=8, address="ray://head:10001")
    run(world, tasks, factory, rollouts=4, out=Path("rollouts.jsonl"), engine=engine)

`make` opens world, factory and users in each worker, so it must be picklable (a module's function,
or a `functools.partial` of one). Planning, seeds, the file and resuming stay with the runner in
this process: the records are those of a run without Ray, byte for byte but for times and usage.

A worker that dies is started anew and its episodes are played again from their beginning; one that
dies with the same episode RETRIES times more is recorded as the runner's failure, not scored.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from telejudge_agents.play import Planned, lost
from telejudge_agents.runner import Tables, serve
from telejudge_envs.errors import MissingExtraError, TelejudgeError, UsageError
from telejudge_envs.nouns.trajectory import Rollout

RETRIES = 3

Make = Callable[[], Tables]
"""Opens world, factory, users and deadline anew."""


class RayEngine:
    """An engine for `run`; `concurrency` episodes at once over all `workers` together.

    Without `address` Ray is started on this machine for the run; `workers` defaults to the CPUs
    that Ray sees. Raises UsageError when there is no cluster at `address`.
    """

    def __init__(
        self,
        make: Make,
        *,
        concurrency: int = 8,
        workers: int | None = None,
        address: str | None = None,
    ) -> None:
        try:
            import ray
        except ImportError as error:
            raise MissingExtraError("ray", "verl") from error
        if concurrency < 1 or (workers is not None and workers < 1):
            raise UsageError(f"concurrency and workers must be positive: {concurrency}, {workers}")
        self._ray: Any = ray
        self._make, self._concurrency = make, concurrency
        self._wanted, self._address = workers, address

    async def __call__(self, waiting: Iterator[Planned], add: Callable[[Rollout], None]) -> None:
        started = self._start()
        try:
            players = self._players()
            places = [self._place(players[i % len(players)]) for i in range(self._concurrency)]
            await serve(places, waiting, add)
        finally:
            if started:
                self._ray.shutdown()

    def _start(self) -> bool:
        """Whether Ray was started here, and is to be ended here."""
        if self._ray.is_initialized():
            return False
        options: dict[str, Any] = {"include_dashboard": False} if self._address is None else {}
        if self._address is None and self._wanted is not None:
            options["num_cpus"] = self._wanted
        try:
            self._ray.init(
                address=self._address or "local",
                log_to_driver=False,
                logging_level="ERROR",
                **options,
            )
        except (ConnectionError, ValueError) as error:
            raise UsageError(f"no Ray cluster at {self._address}: {error}") from error
        return True

    def _players(self) -> list[Any]:
        cpus = int(self._ray.cluster_resources().get("CPU", 1))
        workers = min(self._wanted or cpus, self._concurrency)
        each = -(-self._concurrency // workers)
        actor = self._ray.remote(_Player).options(
            num_cpus=1,
            scheduling_strategy="SPREAD",
            max_restarts=-1,
            max_task_retries=RETRIES,
            max_concurrency=each,
        )
        return [actor.remote(self._make) for _ in range(workers)]

    def _place(self, player: Any) -> Callable[[Planned], Awaitable[Rollout]]:
        async def play(planned: Planned) -> Rollout:
            try:
                return await player.play.remote(planned)
            except self._ray.exceptions.RayTaskError as error:
                own = error.cause
                raise own if isinstance(own, TelejudgeError) else error from error
            except self._ray.exceptions.RayActorError as error:
                here = self._make()
                return lost(here.world, planned, here.factory, str(error))

        return play


class _Player:
    """One worker: a world and an agent factory of its own, many episodes at once."""

    def __init__(self, make: Make) -> None:
        self._tables = make()

    async def play(self, planned: Planned) -> Rollout:
        return await self._tables.play(planned)

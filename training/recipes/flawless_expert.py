"""The base-station recipe with an expert who makes no mistakes, and no GRPO: what imitation alone
reaches, and so about what GRPO can win back from bad habits."""

from telejudge_training.recipe import base_station

recipe = base_station().with_(
    name="flawless_expert", demonstrations={"mistakes": 0.0}, grpo={"steps": 0}
)

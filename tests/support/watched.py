"""An app whose alarms are told to a webhook, and what was told there."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domains.webhooks.message import WebhookJob
from support.lab import Lab

HOOK = "https://operators.example/hook"


@dataclass
class Watched:
    """A lab whose alarms are told to a webhook, and what was told there."""

    lab: Lab
    told: list[tuple[str, WebhookJob]]

    async def evaluate(self, minutes: float = 5) -> dict[str, str]:
        """Let time pass, evaluate, let the host deliver, and say which alarms are on, and why."""
        self.lab.clock.advance(minutes * 60)
        board = await self.lab.app.monitor.watch.evaluate()
        await self.lab.pump()
        return {alarm.value: each.reason for alarm, each in board.standings.items() if each.on}

    @property
    def messages(self) -> list[str]:
        """What was told: `alarm.on queue-stuck`."""
        return [f"{each.type} {each.data['alarm']}" for _, each in self.told]

"""Everything that dsp raises, in one tree.

```text
DspError
├── UsageError              the caller's mistake: fix the code
│   ├── SignatureError      models that no prompt can be made of; a program without its types
│   ├── TemplateError       a template that does not fit the models
│   ├── SettingsError       an unknown or impossible setting
│   ├── DemoError           an example of another program
│   ├── InputError          an input of the wrong type or shape; nothing was spent
│   ├── StateError          a program that cannot be copied or found as asked
│   └── DeadlockError       a sync call that would wait for its own thread
└── RunError                the run's failure: .usage, .cost and .calls say what was spent
    ├── LMError             the model did not answer: .reason says why
    │   ├── Timeout · NetworkError · InvalidResponse · APIError (ServerError) · CircuitOpen
    │   ├── RateLimited · QuotaExceeded · Authentication · NotConfigured · UnsupportedProvider
    │   ├── InvalidMessages · ContextWindowExceeded · ContentFiltered · Truncated
    │   └── BudgetExceeded · UnexpectedResult
    ├── ParseError          the model answered, and no valid output could be read
    ├── LimitExceeded       a limit set by the caller
    └── ToolError           a tool failed
```

A programmer's error inside a user's function is neither: it passes through as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from typing_extensions import override

from dsp.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dsp.tracing import HistoryEntry

__all__ = [
    "APIError",
    "Authentication",
    "BudgetExceeded",
    "CircuitOpen",
    "ContentFiltered",
    "ContextWindowExceeded",
    "DeadlockError",
    "DemoError",
    "DspError",
    "InputError",
    "InvalidMessages",
    "InvalidResponse",
    "LMError",
    "LimitExceeded",
    "NetworkError",
    "NotConfigured",
    "ParseError",
    "QuotaExceeded",
    "RateLimited",
    "Reason",
    "RunError",
    "ServerError",
    "SettingsError",
    "SignatureError",
    "StateError",
    "TemplateError",
    "Timeout",
    "ToolError",
    "Truncated",
    "UnexpectedResult",
    "UnsupportedProvider",
    "UsageError",
]

Reason = Literal[
    "timeout",
    "network_error",
    "invalid_response",
    "api_error",
    "circuit_open",
    "rate_limited",
    "quota_exceeded",
    "invalid_messages",
    "authentication",
    "provider_not_configured",
    "unsupported_provider",
    "context_window_exceeded",
    "content_filtered",
    "truncated",
    "budget_exceeded",
    "unexpected_result",
]
"""Why a model did not answer."""


class DspError(Exception):
    """The root of everything that dsp raises."""


class UsageError(DspError):
    """The caller's mistake. Nothing was sent and nothing was spent; the message names the line to write instead."""


class SignatureError(UsageError, TypeError):
    """Types that no signature can be made of, or a program that was made without its types."""


class TemplateError(UsageError):
    """A template that does not compile, or that names a field which the models do not have."""


class SettingsError(UsageError, ValueError):
    """An unknown setting, or a value that it cannot take."""


class DemoError(UsageError, TypeError):
    """A demo that is not an `Example` of this program's models."""


class InputError(UsageError, TypeError):
    """An input that is not what the program takes; raised before anything is spent."""


class StateError(UsageError):
    """A program that cannot be copied, named or found as asked."""


class DeadlockError(UsageError, RuntimeError):
    """A sync call that could only wait for work which its own blocked thread has to do. Write `await ....acall(...)`."""


class RunError(DspError):
    """The run's failure, with what was spent until then."""

    usage: Usage
    """Tokens of every attempt below the program that raised, each counted once."""
    cost: float | None
    """US dollars; None when any price is unknown."""
    calls: tuple[HistoryEntry, ...]
    """Every model call of the run, the failed ones included."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.usage = Usage()
        self.cost = 0.0
        self.calls = ()

    @override
    def __reduce__(self) -> tuple[object, ...]:
        # An exception is usually made again from its message alone; these carry more, to other processes too.
        return _made_again, (type(self), self.args, self.__dict__)


def _made_again(kind: type[RunError], args: tuple[object, ...], state: Mapping[str, object]) -> RunError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


class LMError(RunError):
    """The model did not answer. `reason` is one word out of `dsp.errors.Reason`; there is one subclass for each."""

    default_reason: ClassVar[Reason] = "unexpected_result"
    retryable: ClassVar[bool] = False
    """Whether the same request may succeed when it is sent again."""

    reason: Reason
    model: str | None
    provider: str | None
    status: int | None
    """The HTTP status, where there was one."""
    retry_after: float | None
    """Seconds that the provider asked to wait."""
    attempts: int
    """How often the request was sent."""

    def __init__(
        self,
        message: str,
        *,
        model: str | None = None,
        provider: str | None = None,
        status: int | None = None,
        retry_after: float | None = None,
        attempts: int = 0,
    ) -> None:
        super().__init__(message)
        self.reason = self.default_reason
        self.model = model
        self.provider = provider
        self.status = status
        self.retry_after = retry_after
        self.attempts = attempts


class Timeout(LMError):
    """No answer in time."""

    default_reason: ClassVar[Reason] = "timeout"
    retryable: ClassVar[bool] = True


class NetworkError(LMError):
    """The provider could not be reached, or the connection broke."""

    default_reason: ClassVar[Reason] = "network_error"
    retryable: ClassVar[bool] = True


class InvalidResponse(LMError):
    """Something came back that is not an answer of the provider's protocol."""

    default_reason: ClassVar[Reason] = "invalid_response"
    retryable: ClassVar[bool] = True


class APIError(LMError):
    """The provider refused or failed; `status` tells which. A 5xx is retried, a 4xx is not."""

    default_reason: ClassVar[Reason] = "api_error"


class ServerError(APIError):
    """The provider failed on its side (5xx)."""

    retryable: ClassVar[bool] = True


class CircuitOpen(LMError):
    """Too many failures in a short time: the call was not sent."""

    default_reason: ClassVar[Reason] = "circuit_open"


class RateLimited(LMError):
    """Too many requests; `retry_after` holds what the provider asked for."""

    default_reason: ClassVar[Reason] = "rate_limited"
    retryable: ClassVar[bool] = True


class QuotaExceeded(LMError):
    """The account has nothing left; waiting does not help."""

    default_reason: ClassVar[Reason] = "quota_exceeded"


class InvalidMessages(LMError):
    """Messages that no provider takes: none at all, or of the wrong shape."""

    default_reason: ClassVar[Reason] = "invalid_messages"


class Authentication(LMError):
    """The key was refused."""

    default_reason: ClassVar[Reason] = "authentication"


class NotConfigured(LMError):
    """No model, or no key for it. The message names what to set."""

    default_reason: ClassVar[Reason] = "provider_not_configured"


class UnsupportedProvider(LMError):
    """A provider that no backend knows."""

    default_reason: ClassVar[Reason] = "unsupported_provider"


class ContextWindowExceeded(LMError):
    """The prompt is longer than the model can read."""

    default_reason: ClassVar[Reason] = "context_window_exceeded"


class ContentFiltered(LMError):
    """The provider's filter, or the model itself, refused to answer."""

    default_reason: ClassVar[Reason] = "content_filtered"


class Truncated(LMError):
    """The reply was cut at the token limit before it was complete."""

    default_reason: ClassVar[Reason] = "truncated"


class BudgetExceeded(LMError):
    """The provider's or the caller's budget is used up."""

    default_reason: ClassVar[Reason] = "budget_exceeded"


class UnexpectedResult(LMError):
    """A failure that fits no other reason."""


class ParseError(RunError):
    """The model answered, and no valid output could be read from the reply."""

    reply: str
    """The text that the model wrote."""
    missing: tuple[str, ...]
    """Output fields that the reply does not hold."""
    errors: tuple[str, ...]
    """What was wrong, a sentence each, as the model would be told."""

    def __init__(
        self, message: str, *, reply: str, missing: tuple[str, ...] = (), errors: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message)
        self.reply = reply
        self.missing = missing
        self.errors = errors


class LimitExceeded(RunError):
    """A limit set by the caller was reached."""

    limit: str
    value: float
    allowed: float

    def __init__(self, message: str, *, limit: str, value: float, allowed: float) -> None:
        super().__init__(message)
        self.limit = limit
        self.value = value
        self.allowed = allowed


class ToolError(RunError):
    """A tool failed, and the program could not go on without it."""

"""One cheap call before a long run, to detect a wrong key, model or address in a second."""

from __future__ import annotations

from motion_gating.judges.inquiry import Inquiry, answer_form, one_of
from motion_gating.judges.service import Attempt, CallFailure, Failure, Service, shown
from motion_gating.judges.transport import within
from motion_rep.common.errors import UsageError

PROMPT = 'Answer with this JSON object and nothing else: {"ready": "yes"}'
TRIAL = Inquiry("trial", PROMPT, answer_form(ready=one_of(("yes",))), sees_clip=False)
TOKENS, SECONDS = 64, 30.0
# Any answer shows that the service works.
ANSWERS = {Failure.MALFORMED, Failure.EMPTY, Failure.TRUNCATED, Failure.NO_SCHEMA, Failure.BLOCKED}
HOPELESS = {Failure.STOP, Failure.NETWORK}


def try_service(service: Service, seconds: float = SECONDS) -> str | None:
    """Ask a question without a clip; returns a sentence if the service is too busy to answer.

    Raises:
        UsageError: the service refuses the key or the model, or cannot be reached.
    """
    try:
        with service.attach(()) as ask:
            within(seconds, lambda: ask(TRIAL, Attempt(TOKENS, seconds)))
    except CallFailure as failure:
        said = shown(failure.message, service.secrets)
        if failure.kind in HOPELESS:
            raise UsageError(f"the judge {service.name} cannot be asked: {said}") from None
        return None if failure.kind in ANSWERS else f"the judge {service.name} did not answer a trial question: {said}"
    return None

"""Pages that belong to no app."""

from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from chat import sse
from portal.streamcheck import diagnostic


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001
    """403 for a form post without a valid token: what was typed stays in the person's browser."""
    if request.headers.get("X-Requested-With") == "fetch":
        error = {
            "code": "csrf",
            "message": "This page is out of date. Reload it; your text is kept.",
        }
        return JsonResponse({"error": error}, status=403)
    return render(request, "403_csrf.html", status=403)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400, or 413 for a body that is too long; reads nothing of a request that cannot be read."""
    status = 413 if isinstance(exception, RequestDataTooBig) else 400
    return render(request, "400.html", status=status)


@require_safe
def stream_probe(request: HttpRequest) -> HttpResponseBase:
    """The diagnostic stream of `check_stream`, for its fresh token; 404 for everybody else."""
    plan = diagnostic.Plan.read(request.headers.get("Authorization", ""))
    if plan is None:
        raise Http404
    if diagnostic.places.is_full:
        return HttpResponse(status=503, headers={"Retry-After": "60"})
    return sse.response(diagnostic.places.stream(plan))

"""Export a registration to a sealed file, and import one."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from credmgr.audit.recording import Actor
from credmgr.errors import DomainError, NotFoundError
from credmgr.portal import words
from credmgr.portal.access import application_or_404, directory_of
from credmgr.portal.acting import form_page, posted
from credmgr.portal.forms.transfer import ExportForm, ImportForm
from credmgr.portal.uploads import TOO_OFTEN, has_upload_left
from credmgr.registrations.models import Application
from credmgr.transfer.exporting import export_registration
from credmgr.transfer.importing import Imported, import_registration, read_export
from credmgr.vault.passphrase import PassphraseError


@sensitive_post_parameters("passphrase", "again", "current_password")
@sensitive_variables("form", "content")
@require_http_methods(["GET", "HEAD", "POST"])
def application_export(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """The form; its answer is the file, which stands nowhere else."""
    application = application_or_404(request, application_id)
    form = ExportForm(posted(request), request=request)
    if form.is_bound and form.is_valid():
        try:
            content = export_registration(
                application,
                passphrase=form.cleaned_data["passphrase"],
                actor=Actor.from_request(request),
                now=timezone.now(),
            )
        except NotFoundError:
            raise Http404 from None  # deleted meanwhile
        except DomainError as error:
            form.refuse(error)
        else:
            name = f"{slugify(application.display_name) or 'registration'}.credmgr"
            return HttpResponse(
                content,
                content_type="application/octet-stream",
                headers={
                    "Content-Disposition": f'attachment; filename="{name}"',
                    "Cache-Control": "no-store",
                },
            )
    return form_page(
        request, "portal/applications/export.html", form, {"application": application, **_held(application)}
    )


@sensitive_post_parameters("passphrase", "current_password")
@sensitive_variables("form")
@require_http_methods(["GET", "HEAD", "POST"])
def application_import(request: HttpRequest) -> HttpResponse:
    """The form, and what the file makes."""
    in_use = directory_of(request)
    if request.method != "POST":
        return _import_page(request, ImportForm(request=request, in_use=in_use))
    form = ImportForm(request.POST, request.FILES, request=request, in_use=in_use)
    if not has_upload_left(request):
        form.add_error(None, TOO_OFTEN)
        return _import_page(request, form, refused=429)
    done = _import(request, form) if form.is_valid() else None
    if done is None:
        return _import_page(request, form)
    messages.success(request, f"{done.application.display_name} is imported.")
    if done.left_out:
        messages.warning(request, f"Left out: {' '.join(done.left_out)}")
    return redirect("portal:application", done.application.pk)


@sensitive_variables()
def _import(request: HttpRequest, form: ImportForm) -> Imported | None:
    typed = form.cleaned_data
    try:
        document = read_export(form.file_bytes(), typed["passphrase"])
        return import_registration(
            document,
            tenant=form.in_use,
            keep_client_id=typed["keep_client_id"],
            without_identifier_uri=typed["without_identifier_uri"],
            actor=Actor.from_request(request),
            now=timezone.now(),
        )
    except PassphraseError as error:
        form.add_error("passphrase" if error.is_about_passphrase else "file", str(error))
    except DomainError as error:
        form.add_error(None, error.message)  # its fields are those of other forms
    return None


def _import_page(request: HttpRequest, form: ImportForm, *, refused: int = 422) -> HttpResponse:
    return form_page(request, "portal/applications/import.html", form, {}, refused=refused)


def _held(application: Application) -> dict[str, Any]:
    """What goes into the file, in words, and what cannot."""
    secrets = application.client_secrets
    certificates = application.certificates
    counts = (
        (secrets.filter(value__isnull=False).count(), "client secret"),
        (certificates.count(), "certificate"),
        (certificates.filter(private_key__isnull=False).count(), "kept private key"),
        (application.federated_credentials.count(), "federated credential"),
        (application.app_roles.count(), "app role"),
    )
    return {
        "holdings": words.listed([words.counted(count, noun) for count, noun in counts if count]),
        "left_behind": secrets.filter(value__isnull=True).count(),
        "back": reverse("portal:application", args=[application.pk]),
    }

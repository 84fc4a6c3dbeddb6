"""Certificates: the tab, uploading one, its details and files, forgetting its private key, deleting it."""

import ssl
import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from credmgr.audit.credential_use import newest_use
from credmgr.audit.recording import Actor
from credmgr.credentials.certificates import (
    add_certificate,
    delete_certificate,
    forget_private_key,
    open_certificate,
)
from credmgr.credentials.findings import CHECK, MUST_FIX, Examination, examine
from credmgr.credentials.models import Certificate
from credmgr.credentials.x509 import spellings
from credmgr.credentials.x509_keys import shown_key
from credmgr.errors import DomainError, NotFoundError
from credmgr.portal.access import application_or_404
from credmgr.portal.acting import form_page, posted
from credmgr.portal.credential_impact import impact_of
from credmgr.portal.credential_lists import (
    also_on,
    certificate_rows,
    name_of,
    notice_for,
    single_row,
    tabs_of,
)
from credmgr.portal.forms.applications import ConfirmedForm
from credmgr.portal.forms.certificates import CertificateForm, ExamineForm
from credmgr.portal.uploads import TOO_OFTEN, has_upload_left
from credmgr.registrations.models import Application


@require_safe
def certificates(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """The tab: thumbprints, dates and use of every certificate."""
    application = application_or_404(request, application_id)
    now = timezone.now()
    rows = certificate_rows(application, now)
    context = {
        "application": application,
        "now": now,
        "tabs": tabs_of(application, "certificates"),
        "rows": rows,
        "notice": notice_for(rows, application, now),
    }
    return render(request, "portal/credentials/certificates.html", context)


@sensitive_post_parameters("password", "current_password")
@sensitive_variables("form", "examination")
@require_http_methods(["GET", "HEAD", "POST"])
def certificate_new(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """The form. A press examines the files and adds the certificate, or says why not; no file is kept."""
    application = application_or_404(request, application_id)
    form = CertificateForm(request=request)
    if request.method != "POST":
        return _upload_page(request, application, form)
    form = CertificateForm(request.POST, request.FILES, request=request)
    if not has_upload_left(request):
        form.add_error(None, TOO_OFTEN)
        return _upload_page(request, application, form, refused=429)
    if not form.is_valid():
        return _upload_page(request, application, form)
    examination = _examine(application, form)
    if examination.blocks or not _is_accepted(form, examination):
        return _upload_page(request, application, form, examination)
    try:
        added = add_certificate(
            application,
            examination=examination,
            description=form.cleaned_data["description"],
            actor=Actor.from_request(request),
            now=timezone.now(),
        )
    except NotFoundError:
        raise Http404 from None  # the application was deleted meanwhile
    except DomainError as error:
        form.refuse(error)
        return _upload_page(request, application, form)
    messages.success(request, f"Certificate added: {name_of(added)}, thumbprint {added.thumbprint_sha1}.")
    return redirect("portal:certificates", application.pk)


@sensitive_post_parameters("password")
@sensitive_variables("form", "examination")
@require_POST
def certificate_examine(request: HttpRequest, application_id: uuid.UUID) -> HttpResponse:
    """The findings alone, for the page's script to show beside the chosen file. Stores nothing."""
    application = application_or_404(request, application_id)
    form = ExamineForm(request.POST, request.FILES)
    context: dict[str, Any] = {"application": application}
    status = 200
    if not has_upload_left(request):
        status, context["complaint"] = 429, TOO_OFTEN
    elif form.is_valid():
        context |= _found(_examine(application, form))
    else:
        status = 422
        context["complaint"] = " ".join(str(error) for errors in form.errors.values() for error in errors)
    return render(request, "portal/credentials/_findings.html", context, status=status)


@require_safe
def certificate(request: HttpRequest, application_id: uuid.UUID, certificate_id: uuid.UUID) -> HttpResponse:
    """Everything that is known of one certificate, its thumbprints in every spelling."""
    application = application_or_404(request, application_id)
    found = _certificate_or_404(application, certificate_id)
    now = timezone.now()
    context = {
        "application": application,
        "now": now,
        "row": single_row(found, now),
        "certificate": found,
        "key_name": shown_key(found.key_type, found.key_size),
        "spellings": spellings(found.thumbprint_sha1, found.thumbprint_sha256),
        "also_on": also_on(found, application.tenant_id),
        "newest_use": newest_use(found.pk),
        "back": reverse("portal:certificates", args=[application.pk]),
    }
    return render(request, "portal/credentials/certificate.html", context)


@require_safe
def certificate_download(
    request: HttpRequest, application_id: uuid.UUID, certificate_id: uuid.UUID, form: str
) -> HttpResponse:
    """The certificate itself, which is public: form "pem" as text, "cer" as DER."""
    application = application_or_404(request, application_id)
    found = _certificate_or_404(application, certificate_id)
    der = open_certificate(found)
    if form == "pem":
        answer = HttpResponse(ssl.DER_cert_to_PEM_cert(der), content_type="application/x-pem-file")
    elif form == "cer":
        answer = HttpResponse(der, content_type="application/pkix-cert")
    else:
        raise Http404
    # Letters, digits and hyphens: nothing from the certificate reaches the header as it is.
    name = slugify(found.description or found.subject)[:60] or found.thumbprint_sha1.lower()
    answer["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return answer


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def certificate_forget_key(
    request: HttpRequest, application_id: uuid.UUID, certificate_id: uuid.UUID
) -> HttpResponse:
    """Forget the sealed private key; the certificate stays as it is."""
    application = application_or_404(request, application_id)
    found = _certificate_or_404(application, certificate_id)
    back = reverse("portal:certificate", args=[application.pk, found.pk])
    form = ConfirmedForm(posted(request), request=request)
    if form.is_bound and form.is_valid():
        try:
            forget_private_key(found, actor=Actor.from_request(request), now=timezone.now())
        except NotFoundError as error:
            messages.error(request, error.message)
            return redirect("portal:certificates", application.pk)
        except DomainError as error:
            messages.error(request, error.message)
        else:
            messages.success(
                request, f"The private key of {name_of(found)} is forgotten. Tests ask for the key file."
            )
        return redirect(back)
    context = {
        "application": application,
        "certificate": found,
        "name": name_of(found),
        "back": back,
    }
    return form_page(request, "portal/credentials/certificate_forget_key.html", form, context)


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def certificate_delete(
    request: HttpRequest, application_id: uuid.UUID, certificate_id: uuid.UUID
) -> HttpResponse:
    """What breaks without it; then the deletion, for good."""
    application = application_or_404(request, application_id)
    found = _certificate_or_404(application, certificate_id)
    now = timezone.now()
    form = ConfirmedForm(posted(request), request=request)
    if request.method == "POST" and form.is_valid():
        try:
            delete_certificate(found, actor=Actor.from_request(request), now=now)
        except NotFoundError as error:
            messages.error(request, error.message)
        else:
            messages.success(
                request, f"Deleted the certificate {name_of(found)} of {application.display_name}."
            )
        return redirect("portal:certificates", application.pk)
    context = {
        "application": application,
        "now": now,
        "row": single_row(found, now),
        "certificate": found,
        "impact": impact_of(found, now),
        "back": reverse("portal:certificates", args=[application.pk]),
    }
    return form_page(request, "portal/credentials/certificate_delete.html", form, context)


@sensitive_variables()
def _examine(application: Application, form: ExamineForm) -> Examination:
    return examine(
        application,
        certificate_file=form.certificate_bytes(),
        keep_private_key=form.cleaned_data["keep_private_key"],
        key_file=form.key_bytes(),
        password=form.cleaned_data["password"],
        now=timezone.now(),
    )


def _found(examination: Examination) -> dict[str, Any]:
    """What the findings part shows. accept: the thumbprint a tick stands for, if something asks for one."""
    needs_decision = not examination.blocks and any(each.level == CHECK for each in examination.findings)
    return {
        "findings": examination.findings,
        "accept": examination.parsed.thumbprint_sha256 if examination.parsed and needs_decision else "",
    }


def _is_accepted(form: CertificateForm, examination: Examination) -> bool:
    """Whether nothing needs a decision, or the tick was set for this very certificate."""
    accept = _found(examination)["accept"]
    return not accept or form.cleaned_data["accepted"] == accept


def _upload_page(
    request: HttpRequest,
    application: Application,
    form: CertificateForm,
    examination: Examination | None = None,
    *,
    refused: int = 422,
) -> HttpResponse:
    """The form, again with what was typed; never the files, passwords, or a byte of them."""
    context: dict[str, Any] = {
        "application": application,
        "back": reverse("portal:certificates", args=[application.pk]),
    }
    if examination is not None:
        for finding in examination.findings:
            if finding.level == MUST_FIX:
                field = finding.field if finding.field in form.fields else None
                form.add_error(field, f"{finding.heading} {finding.advice}".strip())
        context |= _found(examination)
        # What must be fixed stands at its field; the list holds what else there is to say.
        context["findings"] = [each for each in examination.findings if each.level != MUST_FIX]
        if context["accept"]:
            form.add_error(
                None,
                "Read what was found below. To add the certificate all the same, tick the box "
                "and choose the file again.",
            )
    return form_page(request, "portal/credentials/certificate_new.html", form, context, refused=refused)


def _certificate_or_404(application: Application, certificate_id: uuid.UUID) -> Certificate:
    found = application.certificates.filter(pk=certificate_id).first()
    if found is None:
        raise Http404
    return found

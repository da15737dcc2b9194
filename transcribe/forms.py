"""Forms: the upload with whisper's options, and the registration of a model."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from gate.core.units import bytes_text
from transcribe.abilities import abilities_check
from transcribe.catalog import languages
from transcribe.checkpoints import checkpoint_check
from transcribe.errors import ModelUnknown, OptionsInvalid
from transcribe.models import RegisteredModel
from transcribe.options import NOT_TAKEN, OPTION_SPECS, PROMPT_LIMIT_CHARS, DecodingOptions, OptionSpec
from transcribe.resolve import ModelChoice, demo_word_count, model_choices
from transcribe.services.registry import model_name_check

OPTION_PREFIX = "option_"
NOT_TAKEN_TEXT = "The option “{name}” is not taken: {why}."
YES_NO = (("True", "Yes"), ("False", "No"))


class UploadForm(forms.Form):
    """Everything but the files. After `is_valid()`, `options` holds the checked decoding options."""

    title = forms.CharField(max_length=200, required=False, help_text="Optional; without one the file's name is used.")
    model = forms.ChoiceField()
    language = forms.ChoiceField(required=False, help_text="Spoken in the recording.")

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, label_suffix="", initial={"model": settings.DEFAULT_MODEL})
        self.options = DecodingOptions()
        _choices(self, "model", grouped_models(model_choices()))
        self.fields["model"].help_text = f"The demo knows {demo_word_count()} words: take another for your recordings."
        _choices(self, "language", [("", "Detect"), *sorted(_language_choices(), key=lambda pair: pair[1])])
        for spec in OPTION_SPECS:
            self.fields[OPTION_PREFIX + spec.name] = option_field(spec)

    def option_fields(self) -> list[forms.BoundField]:
        return [self[OPTION_PREFIX + spec.name] for spec in OPTION_SPECS]

    @property
    def has_option_errors(self) -> bool:
        return any(name.startswith(OPTION_PREFIX) for name in self.errors)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        given = {
            spec.name: cleaned[OPTION_PREFIX + spec.name]
            for spec in OPTION_SPECS
            if OPTION_PREFIX + spec.name in self.data and OPTION_PREFIX + spec.name in cleaned
        }
        self._check_options(given)
        self._check_names()
        self._check_abilities(cleaned)
        return cleaned

    def _check_options(self, given: dict[str, Any]) -> None:
        """Every wrong option gets its error: without the first one the next can be seen."""
        while True:
            try:
                self.options = DecodingOptions.from_mapping(given)
                return
            except OptionsInvalid as error:
                self.add_error(OPTION_PREFIX + error.option, str(error))
                if given.pop(error.option, None) is None:
                    return

    def _check_names(self) -> None:
        """A program may send what the form does not have: without it the transcript would not be what was asked."""
        for field in self.data:
            if field.startswith(OPTION_PREFIX) and field not in self.fields:
                name = field.removeprefix(OPTION_PREFIX)
                self.add_error(None, NOT_TAKEN_TEXT.format(name=name, why=NOT_TAKEN.get(name, "there is none")))

    def _check_abilities(self, cleaned: dict[str, Any]) -> None:
        """Both the language and the task may be too much for the model."""
        asked = {"language": cleaned.get("language", ""), "task": self.options.task}
        for field, name in (("language", "language"), ("option_task", "task")):
            alone = {"language": "", "task": "transcribe"} | {name: asked[name]}
            try:
                abilities_check(cleaned.get("model", ""), **alone)
            except OptionsInvalid as error:
                self.add_error(field, str(error))


def grouped_models(models: list[ModelChoice]) -> list[tuple[str, list[tuple[str, str]]]]:
    return [
        (group, [(model.value, _model_text(model)) for model in members])
        for group, members in groupby(models, key=lambda model: model.group)
    ]


def option_field(spec: OptionSpec) -> forms.Field:
    """A field that shows whisper's default; empty means off, where off is possible."""
    label = spec.name.replace("_", " ").capitalize()
    if spec.kind == "bool":
        return forms.ChoiceField(
            choices=YES_NO, initial=str(spec.default), required=False, label=label, help_text=spec.help
        )
    if spec.choices:
        choices = [(choice, choice) for choice in spec.choices]
        return forms.ChoiceField(
            choices=choices, initial=spec.default, required=False, label=label, help_text=spec.help
        )
    limit = PROMPT_LIMIT_CHARS if spec.kind == "text" else 40
    return forms.CharField(
        initial=spec.default,
        required=False,
        label=label,
        help_text=spec.help,
        max_length=limit,
        widget=forms.TextInput(attrs={"autocomplete": "off"} | _number_attributes(spec)),
    )


def _number_attributes(spec: OptionSpec) -> dict[str, str]:
    return {} if spec.kind == "text" else {"inputmode": "decimal"}


def _choices(form: forms.Form, name: str, choices: Any) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
    field.choices = choices


def _model_text(model: ModelChoice) -> str:
    fetched = ", fetched on first use" if model.note.startswith("Fetched") else ""
    return f"{model.label}: needs {bytes_text(model.requirement_bytes)} of memory{fetched}"


def _language_choices() -> list[tuple[str, str]]:
    return [(code, name.title()) for code, name in languages().items()]


if TYPE_CHECKING:
    _RegisteredModelForm = forms.ModelForm[RegisteredModel]
else:  # the class takes a type argument for the type checker only
    _RegisteredModelForm = forms.ModelForm


class ModelRegistrationForm(_RegisteredModelForm):
    """Name and path; everything else is read from the file by the service that keeps it."""

    class Meta:
        model = RegisteredModel
        fields = ("name", "path")
        help_texts = {
            "name": "Shown in the list of models: letters, digits, - and _.",
            "path": "Absolute path on this server of a checkpoint in OpenAI's format (a .pt file).",
        }

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        try:
            model_name_check(name)
        except ModelUnknown as error:
            raise ValidationError(str(error)) from error
        return name

    def clean_path(self) -> str:
        path: str = self.cleaned_data["path"]
        try:
            checkpoint_check(path)
        except ModelUnknown as error:
            raise ValidationError(str(error)) from error
        return path

"""What the browser may send."""

from django import forms
from django.contrib.auth.password_validation import (
    password_validators_help_text_html,
    validate_password,
)
from django.core.exceptions import ValidationError

from tenants.models import User
from tenants.validators import validate_name


class NewAccountForm(forms.Form):
    """Name and password of somebody who joins with a new account; the address is given."""

    name = forms.CharField(
        label="Your name",
        max_length=150,
        validators=[validate_name],
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    password = forms.CharField(
        label="Password",
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=password_validators_help_text_html,
    )

    def __init__(self, *args: object, email: str) -> None:
        super().__init__(*args)  # type: ignore[arg-type]  # passed on as they come
        self.email = email

    def clean(self) -> None:
        """The portal's rules for passwords, which look at name and address too."""
        name, password = self.cleaned_data.get("name", ""), self.cleaned_data.get("password")
        if password is None:
            return
        try:
            validate_password(password, User(email=self.email, name=name))
        except ValidationError as error:
            self.add_error("password", error)

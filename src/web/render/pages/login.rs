//! The pages before somebody is signed in, and after.

use serde::Serialize;

use super::Page;

/// `login`: the form, or the button of an external sign-in. It holds no password, ever.
#[derive(Debug, Clone, Default, Serialize)]
pub struct LoginPage {
    /// Where the form posts to (or the button leads): `<login URL>?next=<escaped address, may be empty>`.
    pub authenticator_login_url: String,
    /// What the user name field starts with.
    pub username: String,
    /// Why the last attempt failed.
    pub login_error: Option<String>,
    /// The label of the one-time code field; none hides the field.
    pub otp_prompt: Option<String>,
    /// Who signs people in instead of the form: "Sign in with …".
    pub login_service: Option<String>,
    /// The operator's own markup in place of form or button (`auth.login_html`), made and escaped.
    pub custom_html: Option<String>,
    /// What is asked next, in place of the form.
    pub step: Option<LoginStep>,
}

/// A question of a sign-in that is under way.
#[derive(Debug, Clone, Default, Serialize)]
pub struct LoginStep {
    /// What comes back with the answer.
    pub id: String,
    /// Who signs in, as typed.
    pub username: String,
    /// What is asked, in the words of the system.
    pub label: String,
    /// Whether what is typed may be seen.
    pub echo: bool,
    /// What a browser may fill in.
    pub autocomplete: &'static str,
    /// What the system told since the last answer.
    pub told: Vec<LoginMessage>,
}

/// Something that the system told.
#[derive(Debug, Clone, Default, Serialize)]
pub struct LoginMessage {
    /// Whether something went wrong.
    pub is_error: bool,
    /// What; lines stay lines.
    pub text: String,
}

/// `logout`, shown where signing in is automatic.
#[derive(Debug, Clone, Default, Serialize)]
pub struct LogoutPage {}

impl Page for LoginPage {
    const ANNOUNCEMENT: Option<&'static str> = Some("announcement_login");
    const TEMPLATE: &'static str = "login.html";
}

impl Page for LogoutPage {
    const ANNOUNCEMENT: Option<&'static str> = Some("announcement_logout");
    const TEMPLATE: &'static str = "logout.html";
}

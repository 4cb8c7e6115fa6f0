//! Answers that no view stands for, and what schemas of views are made of.

use serde_json::Value;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{Object, OneOfBuilder, Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::web::views::service::ServiceView;
use crate::web::views::share::ShareView;
use crate::web::views::token::TokenView;
use crate::web::views::user::UserView;

/// One of these words.
#[must_use]
pub fn words(words: &[&str]) -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words.iter().copied())).build()
}

/// The word of a user's `kind`.
#[must_use]
pub fn user_kind() -> Object {
    words(&["user"])
}

/// The word of a group's `kind`.
#[must_use]
pub fn group_kind() -> Object {
    words(&["group"])
}

/// The word of a service's `kind`.
#[must_use]
pub fn service_kind() -> Object {
    words(&["service"])
}

/// The word of a token's `kind`.
#[must_use]
pub fn token_kind() -> Object {
    words(&["api_token"])
}

/// To what a share is granted.
#[must_use]
pub fn grantee_kind() -> Object {
    words(&["user", "group"])
}

/// A moment in UTC.
#[must_use]
pub fn moment() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(utoipa::openapi::SchemaFormat::KnownFormat(utoipa::openapi::KnownFormat::DateTime)))
        .examples(["2026-01-02T03:04:05.678900Z"])
        .build()
}

/// A moment in UTC, or nothing.
#[must_use]
pub fn moment_or_null() -> Object {
    ObjectBuilder::new()
        .schema_type(utoipa::openapi::schema::SchemaType::from_iter([Type::String, Type::Null]))
        .format(Some(utoipa::openapi::SchemaFormat::KnownFormat(utoipa::openapi::KnownFormat::DateTime)))
        .build()
}

/// What came of a reload that was not refused.
#[must_use]
pub fn reload_outcome() -> Object {
    words(&["applied", "unchanged"])
}

/// Why there is no other answer.
#[derive(ToSchema)]
pub struct Error {
    /// The status of the answer.
    pub status: u16,
    /// A sentence for people.
    pub message: String,
}

/// Which version of the contract a hub keeps.
#[derive(ToSchema)]
#[schema(example = json!({ "version": "6.1.1" }))]
pub struct Version {
    /// A version of JupyterHub.
    pub version: String,
}

/// A sentence for people.
#[derive(ToSchema)]
#[schema(example = json!({ "message": "Shutting down Hub" }))]
pub struct Message {
    /// The sentence.
    pub message: String,
}

/// The tokens of a user.
#[derive(ToSchema)]
pub struct Tokens {
    /// Without their secrets.
    #[schema(value_type = Vec<TokenView>)]
    pub api_tokens: Vec<Value>,
}

/// A page of the journal.
#[derive(ToSchema)]
pub struct JournalPage {
    /// The records.
    #[schema(value_type = Vec<crate::web::api::journal::View>)]
    pub items: Vec<Value>,
    /// Where older ones are.
    #[schema(rename = "_pagination")]
    pub pagination: JournalPagination,
}

/// Where older records are.
#[derive(ToSchema)]
#[schema(example = json!({ "limit": 50, "next": null }))]
pub struct JournalPagination {
    /// How many a page holds at most.
    pub limit: i64,
    /// The next page: `before`, `limit` and `url`.
    #[schema(value_type = Option<Object>)]
    pub next: Option<Value>,
}

/// A user or a service.
pub struct AnyOwner;

impl PartialSchema for AnyOwner {
    fn schema() -> RefOr<Schema> {
        one_of(&[UserView::name().as_ref(), <ServiceView as ToSchema>::name().as_ref()])
    }
}

impl ToSchema for AnyOwner {
    fn name() -> std::borrow::Cow<'static, str> {
        "Owner".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((UserView::name().into_owned(), UserView::schema()));
        UserView::schemas(schemas);
        schemas.push((<ServiceView as ToSchema>::name().into_owned(), ServiceView::schema()));
        ServiceView::schemas(schemas);
    }
}

/// One server-sent event.
pub struct SentEvent;

impl PartialSchema for SentEvent {
    fn schema() -> RefOr<Schema> {
        let data = ObjectBuilder::new()
            .schema_type(Type::String)
            .content_media_type("application/json")
            .description(Some("A ProgressEvent as JSON on one line"))
            .examples(["{\"progress\": 50, \"message\": \"Spawning server...\"}"]);
        ObjectBuilder::new().property("data", data).required("data").into()
    }
}

impl ToSchema for SentEvent {
    fn name() -> std::borrow::Cow<'static, str> {
        "SentEvent".into()
    }
}

/// A share, or an empty object.
pub struct WhatIsLeft;

impl PartialSchema for WhatIsLeft {
    fn schema() -> RefOr<Schema> {
        let share = Ref::from_schema_name(ShareView::name());
        let nothing = ObjectBuilder::new().max_properties(Some(0));
        Schema::OneOf(OneOfBuilder::new().item(share).item(nothing).build()).into()
    }
}

impl ToSchema for WhatIsLeft {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((ShareView::name().into_owned(), ShareView::schema()));
        ShareView::schemas(schemas);
    }
}

fn one_of(names: &[&str]) -> RefOr<Schema> {
    let choice =
        names.iter().fold(OneOfBuilder::new(), |choice, name| choice.item(Ref::from_schema_name(*name)));
    Schema::OneOf(choice.build()).into()
}

/// Whose credentials a request came with, and what they permit.
pub struct Myself;

impl PartialSchema for Myself {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let text_or_null = || {
            ObjectBuilder::new()
                .schema_type(utoipa::openapi::schema::SchemaType::from_iter([Type::String, Type::Null]))
        };
        let credentials = ObjectBuilder::new()
            .property("token_id", text_or_null().description(Some("The token; null for a login cookie")))
            .required("token_id")
            .property("session_id", text_or_null().description(Some("The browser session of the token")))
            .required("session_id")
            .property("scopes", utoipa::openapi::ArrayBuilder::new().items(text()))
            .required("scopes")
            .examples([serde_json::json!({
                "token_id": "a28", "session_id": null, "scopes": ["access:servers!server=ada/"],
            })]);
        utoipa::openapi::AllOfBuilder::new().item(AnyOwner::schema()).item(credentials).into()
    }
}

impl ToSchema for Myself {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        AnyOwner::schemas(schemas);
    }
}

/// A token of OAuth.
#[derive(ToSchema)]
#[schema(example = json!({
    "access_token": "sEcReT", "expires_in": 1_209_600, "token_type": "Bearer", "scope": "access:services!service=web",
}))]
pub struct OAuthToken {
    /// The token.
    pub access_token: String,
    /// Seconds.
    pub expires_in: i64,
    /// `Bearer`.
    pub token_type: String,
    /// What it permits, with spaces between.
    pub scope: String,
}

/// Why there is no token (RFC 6749, 5.2).
#[derive(ToSchema)]
#[schema(example = json!({ "error": "invalid_grant", "error_description": "the code is not valid" }))]
pub struct OAuthError {
    /// A word of the standard.
    pub error: String,
    /// A sentence for people.
    pub error_description: String,
}

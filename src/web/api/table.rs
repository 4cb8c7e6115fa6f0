//! The table of the REST API as a value: it is what the server is built from, and what tests compare with the document
//! of [`crate::web::openapi`], so that neither can have what the other lacks.

use actix_web::http::Method;
use actix_web::{FromRequest, Handler, Resource, Responder, Route, web};

use super::other_method;

/// All rows.
#[derive(Default)]
pub(super) struct Table(pub(super) Vec<Row>);

/// A path, and what can be done there.
pub(super) struct Row {
    pattern: &'static str,
    methods: Vec<Method>,
    resource: Resource,
}

impl Table {
    /// Adds a row.
    pub(super) fn service(&mut self, row: Row) -> &mut Self {
        self.0.push(row);
        self
    }
}

/// A row without methods: other methods than those added are answered with 405.
pub(super) fn at(pattern: &'static str) -> Row {
    new(pattern, web::resource(pattern))
}

/// A row that is reached with and without a slash at its end.
pub(super) fn with_and_without_slash(pattern: &'static str) -> Row {
    new(pattern, web::resource([pattern.trim_end_matches('/'), pattern]))
}

fn new(pattern: &'static str, resource: Resource) -> Row {
    Row { pattern, methods: Vec::new(), resource: resource.default_service(web::to(other_method)) }
}

/// Methods that add a handler.
macro_rules! verbs {
    ($($verb:ident $method:ident),*) => {
        $(pub(super) fn $verb<F, Args>(self, handler: F) -> Self
        where
            F: Handler<Args>,
            Args: FromRequest + 'static,
            F::Output: Responder + 'static,
        {
            self.route(Method::$method, web::$verb().to(handler))
        })*
    };
}

impl Row {
    verbs!(get GET, head HEAD, post POST, put PUT, patch PATCH, delete DELETE);

    fn route(mut self, method: Method, route: Route) -> Self {
        self.methods.push(method);
        Self { resource: self.resource.route(route), ..self }
    }

    /// What the server is built from.
    pub(super) fn into_resource(self) -> Resource {
        self.resource
    }

    /// The path as documents write it: `/users/{user}`.
    pub(super) fn path(&self) -> String {
        self.pattern.replace(":[^/]*}", "}")
    }

    /// The methods that it has.
    pub(super) fn methods(&self) -> &[Method] {
        &self.methods
    }
}

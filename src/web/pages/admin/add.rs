//! `admin/add-users`: several names at once, with what came of each (UI-124).

use actix_web::{HttpResponse, web};

use super::deeds::Doer;
use super::names::{counted, names_in};
use super::{Admin, Came, Part};
use crate::domain::access::Resource;
use crate::web::error::{PageError, Refused};
use crate::web::pages::form::Submission;
use crate::web::pages::visitor::SignedIn;
use crate::web::render::pages::admin::{AddUsersView, NameResult};
use crate::web::state::Hub;

/// So many names are taken at once.
const MOST: usize = 1000;

/// The form.
///
/// # Errors
/// 403 without `admin:users`.
pub async fn show(hub: web::Data<Hub>, visitor: SignedIn) -> Result<HttpResponse, PageError> {
    let admin = Admin::enter(hub, visitor)?;
    admin.caller.require(&["admin:users"], Resource::None)?;
    let view = AddUsersView { may_make_admins: admin.caller.is_admin(), ..AddUsersView::default() };
    admin.show(Part::Users, view, Came::looking()).await
}

/// Adds them, one by one: a bad name keeps nobody else out.
///
/// # Errors
/// 403 without `admin:users`.
pub async fn submit(hub: web::Data<Hub>, submission: Submission) -> Result<HttpResponse, PageError> {
    let (admin, form) = Admin::sent(hub, submission)?;
    admin.caller.require(&["admin:users"], Resource::None)?;
    let names = names_in(form.last("names").unwrap_or_default());
    let mut view = AddUsersView {
        names: String::new(),
        admin: form.last("admin").is_some(),
        may_make_admins: admin.caller.is_admin(),
        results: Vec::new(),
    };
    if names.is_empty() || names.len() > MOST {
        view.names = form.last("names").unwrap_or_default().to_owned();
        let problem = if names.is_empty() {
            "Type at least one name.".to_owned()
        } else {
            format!("No more than {MOST} names are taken at once.")
        };
        return admin.show(Part::Users, view, Came::of(Err(Refused::bad(problem)), None)).await;
    }
    let doer = Doer { hub: admin.hub.clone(), caller: admin.caller.clone() };
    for name in names {
        view.results.push(result(name.clone(), doer.add_user(&name, view.admin).await));
    }
    let wrong = view.results.iter().filter(|result| !result.fine);
    view.names = wrong.map(|result| result.name.as_str()).collect::<Vec<_>>().join("\n");
    let told = summary(&view.results);
    admin.show(Part::Users, view, Came::of(Ok(told), None)).await
}

fn result(name: String, added: Result<bool, Refused>) -> NameResult {
    let (fine, what) = match added {
        Ok(true) => (true, "added".to_owned()),
        Ok(false) => (true, "existed already".to_owned()),
        Err(refused) => (false, refused.message),
    };
    NameResult { name, fine, what }
}

fn summary(results: &[NameResult]) -> String {
    let count = |what: &str| results.iter().filter(|result| result.fine && result.what == what).count();
    let (added, existed) = (count("added"), count("existed already"));
    let wrong = results.len().saturating_sub(added).saturating_sub(existed);
    let mut parts = vec![format!("{} added", counted(added, "user"))];
    if existed > 0 {
        parts.push(format!("{existed} existed already"));
    }
    if wrong > 0 {
        parts.push(format!("{wrong} could not be added"));
    }
    format!("{}.", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ui_124_each_name_has_a_result_and_the_sum_is_told() {
        let results = [
            result("ada".to_owned(), Ok(true)),
            result("bob".to_owned(), Ok(false)),
            result("a/b".to_owned(), Err(Refused::bad("Invalid username: a/b"))),
        ];
        assert_eq!(summary(&results), "1 user added, 1 existed already, 1 could not be added.");
        assert_eq!(summary(&results[..1]), "1 user added.");
        assert!(!results[2].fine && results[2].what.contains("a/b"));
    }
}

//! `admin/add-users`: several names at once, with what came of each (UI-124).

use actix_web::{HttpResponse, web};

use super::names::names_in;
use super::{Admin, Came, Part};
use crate::domain::access::Resource;
use crate::web::error::{PageError, Refused};
use crate::web::pages::form::Submission;
use crate::web::pages::visitor::SignedIn;
use crate::web::render::pages::admin::{AddUsersView, NameResult};
use crate::web::state::Hub;
use crate::web::texts::Voice;

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
            admin.voice.say("admin-type-a-name")
        } else {
            admin.voice.with("admin-too-many-names", [("most", MOST.into())])
        };
        return admin.show(Part::Users, view, Came::of(Err(Refused::bad(problem)), None)).await;
    }
    let doer = admin.doer();
    let mut sum = Sum::default();
    for name in names {
        let added = doer.add_user(&name, view.admin).await;
        sum.count(&added);
        view.results.push(result(&admin.voice, name, added));
    }
    let wrong = view.results.iter().filter(|result| !result.fine);
    view.names = wrong.map(|result| result.name.as_str()).collect::<Vec<_>>().join("\n");
    let told = sum.told(&admin.voice);
    admin.show(Part::Users, view, Came::of(Ok(told), None)).await
}

fn result(voice: &Voice, name: String, added: Result<bool, Refused>) -> NameResult {
    let (fine, what) = match added {
        Ok(true) => (true, voice.say("admin-added")),
        Ok(false) => (true, voice.say("admin-existed")),
        Err(refused) => (false, voice.said(&refused.message)),
    };
    NameResult { name, fine, what }
}

/// How many names came to what.
#[derive(Default)]
struct Sum {
    added: usize,
    existed: usize,
    wrong: usize,
}

impl Sum {
    fn count(&mut self, added: &Result<bool, Refused>) {
        match added {
            Ok(true) => self.added += 1,
            Ok(false) => self.existed += 1,
            Err(_) => self.wrong += 1,
        }
    }

    fn told(&self, voice: &Voice) -> String {
        let values =
            [("added", self.added.into()), ("existed", self.existed.into()), ("wrong", self.wrong.into())];
        voice.with("admin-added-sum", values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ui_124_each_name_has_a_result_and_the_sum_is_told() {
        let voice = Voice::english();
        let mut sum = Sum::default();
        sum.count(&Ok(true));
        assert_eq!(sum.told(&voice), "1 user added.");
        sum.count(&Ok(false));
        let wrong = Err(Refused::bad("Invalid username: a/b"));
        sum.count(&wrong);
        assert_eq!(sum.told(&voice), "1 user added, 1 existed already, 1 could not be added.");
        let wrong = result(&voice, "a/b".to_owned(), wrong);
        assert!(!wrong.fine && wrong.what.contains("a/b"));
    }
}

use std::sync::Arc;

use futures_util::StreamExt;

use super::*;
use crate::actors::directory::{Outcome, Progress};

fn starting(messages: &[&str]) -> ServerStatus {
    let progress =
        messages.iter().map(|message| Progress { percent: 10, message: (*message).to_owned() }).collect();
    let pending = Some(Pending::Spawn);
    ServerStatus { pending, attempt: 1, progress: Arc::new(progress), ..ServerStatus::default() }
}

fn follower(status: &watch::Sender<ServerStatus>) -> Follower {
    let (status, url) = (status.subscribe(), "/user/ada/".to_owned());
    Follower { status, url, finish: None, due: None, sent: Sent::Nothing, silence: KEEP_ALIVE }
}

async fn text(stream: &mut (impl Stream<Item = Result<Bytes, Infallible>> + Unpin)) -> Option<String> {
    stream.next().await.map(|item| String::from_utf8(item.unwrap().to_vec()).unwrap())
}

#[actix_web::test]
async fn rest_111_a_follower_gets_all_events_and_then_the_end() {
    let (status, _kept) = watch::channel(starting(&["one", "two"]));
    let mut stream = Box::pin(events(follower(&status)));
    assert_eq!(text(&mut stream).await.unwrap(), "\n\n");
    let both = text(&mut stream).await.unwrap();
    assert!(both.contains("one") && both.contains("two"), "{both}");

    status.send_replace(starting(&["one", "two", "three"]));
    let new = text(&mut stream).await.unwrap();
    assert!(new.contains("three") && !new.contains("two"), "{new}");

    let done = ServerStatus { pending: None, ready: true, ..starting(&["one", "two", "three", "four"]) };
    status.send_replace(ServerStatus { outcome: Some(Outcome::Ready), ..done });
    let last = text(&mut stream).await.unwrap();
    assert!(last.contains("four") && last.contains("\"ready\":true"), "{last}");
    assert_eq!(text(&mut stream).await, None);
}

#[actix_web::test]
async fn rest_112_of_a_ready_server_there_is_only_the_end() {
    let (status, _kept) = watch::channel(ServerStatus { pending: None, ready: true, ..starting(&["one"]) });
    let mut stream = Box::pin(events(follower(&status)));
    assert_eq!(text(&mut stream).await.unwrap(), "\n\n");
    let last = text(&mut stream).await.unwrap();
    assert!(last.contains("\"ready\":true") && !last.contains("one"), "{last}");
    assert_eq!(text(&mut stream).await, None);
}

#[actix_web::test]
async fn a_follower_of_a_lost_actor_is_told() {
    let (status, kept) = watch::channel(starting(&[]));
    let mut stream = Box::pin(events(Follower { status: kept, ..follower(&status) }));
    assert_eq!(text(&mut stream).await.unwrap(), "\n\n");
    drop(status);
    assert!(text(&mut stream).await.unwrap().contains("\"failed\":true"));
    assert_eq!(text(&mut stream).await, None);
}

#[actix_web::test]
async fn rest_115_a_silent_start_is_kept_alive() {
    assert_eq!(KEEP_ALIVE, Duration::from_secs(8));
    let (status, _kept) = watch::channel(starting(&["one"]));
    let mut stream = Box::pin(events(Follower { silence: Duration::from_millis(1), ..follower(&status) }));
    assert_eq!(text(&mut stream).await.unwrap(), "\n\n");
    assert!(text(&mut stream).await.unwrap().contains("one"));
    for _ in 0..3 {
        assert_eq!(text(&mut stream).await.unwrap(), "\n\n", "nothing new");
    }
    status.send_replace(starting(&["one", "two"]));
    assert!(text(&mut stream).await.unwrap().contains("two"));
}

#[test]
fn rest_114_only_a_start_under_way_a_running_or_a_failed_server_has_news() {
    assert!(has_news(&starting(&[])));
    assert!(has_news(&ServerStatus { ready: true, ..ServerStatus::default() }));
    assert!(!has_news(&ServerStatus::default()));
    assert!(!has_news(&ServerStatus { pending: Some(Pending::Stop), ..ServerStatus::default() }));
    assert!(!has_news(&ServerStatus { outcome: Some(Outcome::Stopped), ..ServerStatus::default() }));
}

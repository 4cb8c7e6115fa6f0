//! Reading and writing through the store: rollback, isolation of failures, many at once.

use std::collections::BTreeSet;
use std::time::Duration;

use diesel::connection::SimpleConnection;

use crate::domain::ids::UserId;
use crate::domain::names::ServerName;
use crate::store::testing::{Scratch, at, each_lasting_scratch, each_scratch, name, user};
use crate::store::{Db, OpenMode, Store, StoreConfig, StoreError, servers, users};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

async fn count(store: &Store) -> i64 {
    store.read(users::count).await.unwrap()
}

#[test]
fn db_011_a_failed_write_leaves_nothing_behind_and_the_next_one_works() {
    each_scratch(|scratch| {
        let store = scratch.store();
        block_on(async {
            let failed = store.write(|db| {
                user(db, "ada");
                let bob = user(db, "bob").id;
                users::rename(db, bob, &name("ada"))
            });
            assert!(matches!(failed.await, Err(StoreError::Conflict(_))));
            assert_eq!(count(&store).await, 0);
            store.write(|db| Ok::<_, StoreError>(user(db, "ada").id)).await.unwrap();
            assert_eq!(count(&store).await, 1);
        });
    });
}

#[test]
fn db_011_a_panic_rolls_back_and_the_store_lives_on() {
    each_scratch(|scratch| {
        let store = scratch.store();
        block_on(async {
            let panicked = store.write::<(), StoreError, _>(|db| {
                user(db, "ada");
                panic!("on purpose");
            });
            assert!(matches!(panicked.await, Err(StoreError::Interrupted(_))));
            assert_eq!(count(&store).await, 0);
            store.write(|db| Ok::<_, StoreError>(user(db, "ada").id)).await.unwrap();
            assert_eq!(count(&store).await, 1);
        });
    });
}

#[test]
fn a_caller_may_fail_with_an_error_of_its_own() {
    #[derive(Debug)]
    enum Refusal {
        Forbidden,
        Store,
    }
    impl From<StoreError> for Refusal {
        fn from(_: StoreError) -> Self {
            Self::Store
        }
    }
    each_scratch(|scratch| {
        let store = scratch.store();
        block_on(async {
            let refused = store.write(|db| {
                user(db, "ada");
                Err::<(), _>(Refusal::Forbidden)
            });
            assert!(matches!(refused.await, Err(Refusal::Forbidden)));
            let failed = store.write(|db| Ok::<_, Refusal>(users::rename(db, UserId(0), &name("a\0b"))?));
            // SQLite stores a NUL character, PostgreSQL refuses it; neither has user 0
            assert!(matches!(failed.await, Ok(()) | Err(Refusal::Store)));
            assert_eq!(count(&store).await, 0);
        });
    });
}

#[test]
fn many_writers_and_readers_at_once_all_succeed() {
    each_scratch(|scratch| {
        let store = scratch.store();
        block_on(async {
            let tasks: Vec<_> = (0..100)
                .map(|n| {
                    let store = store.clone();
                    tokio::spawn(async move {
                        // reads first, so that a deferred transaction could not wait for its turn
                        let write = store.write(move |db| {
                            let before = users::count(db)?;
                            let id = user(db, &format!("u{n}")).id;
                            users::touch(db, id, at(before))?;
                            Ok::<_, StoreError>(id)
                        });
                        let id = write.await?;
                        store.read(move |db| users::find_by_id(db, id)).await
                    })
                })
                .collect();
            let mut names = BTreeSet::new();
            for task in tasks {
                names.insert(task.await.unwrap().unwrap().unwrap().name);
            }
            assert_eq!((names.len(), count(&store).await), (100, 100));
        });
    });
}

#[test]
fn writers_of_two_processes_wait_for_each_other() {
    let scratch = Scratch::file();
    let stores = [scratch.store(), scratch.store()];
    block_on(async {
        let tasks: Vec<_> = (0..60)
            .map(|n| {
                let store = stores[n % 2].clone();
                tokio::spawn(async move {
                    store.write(move |db| Ok::<_, StoreError>(user(db, &format!("u{n}")).id)).await
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        assert_eq!(count(&stores[0]).await, 60);
    });
}

#[test]
fn a_write_that_waits_too_long_is_told_that_the_database_is_busy() {
    each_lasting_scratch(|scratch| {
        drop(scratch.store());
        let impatient = StoreConfig { busy_timeout: Duration::from_millis(20), ..scratch.config.clone() };
        let store = Store::open(&impatient, OpenMode::CreateOrCurrent).unwrap();
        let mut other = scratch.connection();
        other
            .batch_execute(match other {
                Db::Sqlite(_) => "BEGIN IMMEDIATE",
                Db::Postgres(_) => "BEGIN; LOCK TABLE users IN EXCLUSIVE MODE",
            })
            .unwrap();
        let write = || store.write(|db| users::set_admin(db, UserId(1), true));
        let refused = block_on(write());
        assert!(matches!(refused, Err(StoreError::Busy(_))), "{refused:?}");
        other.batch_execute("ROLLBACK").unwrap();
        block_on(write()).unwrap();
    });
}

#[test]
fn readers_go_on_while_a_write_is_under_way() {
    each_lasting_scratch(|scratch| {
        let store = scratch.store();
        let (written, is_written) = tokio::sync::oneshot::channel();
        let (seen, is_seen) = std::sync::mpsc::channel();
        let writing = store.write(move |db| {
            user(db, "ada");
            written.send(()).unwrap();
            is_seen.recv_timeout(Duration::from_secs(20)).unwrap();
            Ok::<_, StoreError>(())
        });
        block_on(async {
            let reading = async {
                is_written.await.unwrap();
                assert_eq!(count(&store).await, 0);
                seen.send(()).unwrap();
            };
            let (result, ()) = futures_util::future::join(writing, reading).await;
            result.unwrap();
            assert_eq!(count(&store).await, 1);
        });
    });
}

#[test]
fn a_reader_of_a_file_cannot_write() {
    let scratch = Scratch::file();
    let store = scratch.store();
    let written = block_on(store.read(|db| Ok::<_, StoreError>(db.batch_execute("DELETE FROM users")?)));
    assert!(matches!(written, Err(StoreError::Query(_))), "{written:?}");
}

#[test]
fn two_who_want_a_new_server_at_the_same_time_get_the_same_one() {
    each_lasting_scratch(|scratch| {
        let store = scratch.store();
        block_on(async {
            let owner = store.write(|db| Ok::<_, StoreError>(user(db, "ada").id)).await.unwrap();
            for round in 0..20 {
                let wanted = ServerName::from_stored(format!("lab{round}"));
                let ensure = || {
                    let wanted = wanted.clone();
                    store.write(move |db| servers::ensure(db, owner, &wanted))
                };
                let (one, other) = futures_util::future::join(ensure(), ensure()).await;
                assert_eq!(one.unwrap().id, other.unwrap().id);
            }
        });
    });
}

//! The snapshot tests of every shipped site pass. `UPDATE=1 cargo test --test suite sites` accepts what
//! they answer now: read the difference before you keep it.

use std::fs;
use std::process::Command;

use crate::driver::project;

#[test]
fn every_site_answers_as_its_snapshots_say() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sitewright"));
    command.arg("test").current_dir(project());
    if std::env::var_os("UPDATE").is_some() {
        command.arg("--update");
    }
    let output = command.output().unwrap();
    let report = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{report}");
    // The tutorial and each site beside it were among them.
    assert!(report.contains(" tests/tutorial/"), "{report}");
    for site in fs::read_dir(project().join("sites")).unwrap() {
        let name = site.unwrap().file_name().into_string().unwrap();
        assert!(report.contains(&format!(" sites/{name}/tests/")), "no tests of {name}:\n{report}");
    }
}

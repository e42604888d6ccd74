//! Broken versions of the project's own sources and fixtures are scanned to the end. The example `mutate` does the same for
//! as long as one likes, over any sources.

use lockcheck_tests::mutate::{Outcome, mutate, outcome};
use lockcheck_tests::project_files;

/// How many inputs a test run affords.
const INPUTS: usize = 150;

#[test]
fn no_broken_source_panics_or_hangs() {
    let mut files = project_files("fixtures");
    files.extend(project_files("analyzer/src/regions"));
    files.retain(|file| file.text.len() < 20_000);
    let mut rng = fastrand::Rng::with_seed(7);
    for _ in 0..INPUTS {
        let [text, other] = [0; 2].map(|_| files[rng.usize(..files.len())].text.as_bytes());
        let input = mutate(&mut rng, text, other);
        match outcome(&input) {
            Outcome::Fine(_) | Outcome::NoText => {}
            other => panic!("{other:?}:\n{}", String::from_utf8_lossy(&input)),
        }
    }
}

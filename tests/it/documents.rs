//! Do tests/README.md and CONTRIBUTING.md name only files that exist, and does the former name every module?

use std::path::Path;

const README: &str = include_str!("../README.md");
const CONTRIBUTING: &str = include_str!("../../CONTRIBUTING.md");

/// The words in backticks, outside blocks of code.
fn named(document: &str) -> impl Iterator<Item = &str> {
    document.split("```").step_by(2).flat_map(|text| text.split('`').skip(1).step_by(2))
}

#[test]
fn the_files_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // A published package has neither this file nor all that the documents name.
    if !root.join("deny.toml").exists() {
        return;
    }
    let here = root.join("tests");
    // Capital letters stand for a name.
    let is_path = |name: &&str| {
        let ends = name.ends_with(".rs") || name.ends_with('/');
        ends && name.contains('/') && !name.contains(char::is_uppercase)
    };
    for (document, directory) in [(README, &*here), (CONTRIBUTING, root)] {
        let paths: Vec<_> = named(document).filter(is_path).collect();
        assert!(paths.len() > 10, "{paths:?}");
        for path in paths {
            let exists = [directory, root].iter().any(|base| base.join(path).exists());
            assert!(exists, "{path} does not exist");
        }
    }
}

#[test]
fn every_module_is_named() {
    let lines = include_str!("main.rs").lines();
    let modules = lines.filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'));
    for module in modules.filter(|module| *module != "common") {
        let (file, directory) = (format!("it/{module}.rs"), format!("it/{module}/"));
        let is_named = named(README).any(|name| name == file || name.starts_with(&directory));
        assert!(is_named, "tests/README.md does not name {module}");
    }
}

/// The policies in docs/kms.md.
fn policies() -> Vec<serde_json::Value> {
    let page = include_str!("../../docs/kms.md");
    let blocks = page.split("```json\n").skip(1).map(|block| block.split("```").next().unwrap());
    blocks.map(|block| serde_json::from_str(block).unwrap()).collect()
}

#[test]
fn the_recipes_give_the_halves_of_a_key_to_different_principals() {
    let policies = policies();
    assert_eq!(policies.len(), 6);
    // ML-KEM and P-384, ML-DSA and ECDSA, and Google's two.
    for pair in policies.chunks(2) {
        let [first, second] = [0, 1].map(|half: usize| {
            let text = pair[half].to_string();
            let names = text.split('"').filter(|name| {
                name.starts_with("arn:aws:iam:") || name.starts_with("serviceAccount:")
            });
            names.map(str::to_owned).collect::<Vec<_>>()
        });
        assert!(!first.is_empty() && !second.is_empty());
        assert!(first.iter().all(|name| !second.contains(name)), "{first:?} {second:?}");
    }
}

/// A condition of `kms:Sign` that stood beside another action would never hold for it.
#[test]
fn the_recipes_allow_one_action_to_users_and_refuse_it_to_all_others() {
    for policy in &policies()[..4] {
        let statements = policy.get("Statement").unwrap_or(policy).as_array().unwrap();
        let statement = |name: &str| {
            statements.iter().find(|statement| statement["Sid"] == name).unwrap().clone()
        };
        let (used, denied) = (statement("UseIt"), statement("NobodyElse"));
        assert!(used["Action"].is_string() && used["Action"] == denied["Action"]);
        assert_eq!((&used["Effect"], &denied["Effect"]), (&"Allow".into(), &"Deny".into()));
        let excepted = &denied["Condition"]["ArnNotEquals"]["aws:PrincipalArn"];
        assert_eq!(&used["Principal"]["AWS"], excepted);
    }
}

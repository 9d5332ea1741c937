//! Do the manifests agree with each other, and with what the programs in them read?

use std::collections::BTreeSet;

use serde_json::Value;

use support::example::example;

use crate::{image, project};

const FILES: [&str; 5] =
    ["namespace.yaml", "secrets.yaml", "rotation.yaml", "inference.yaml", "seal-checkpoint.yaml"];

/// Which version of the API each kind belongs to.
const KINDS: [(&str, &str); 11] = [
    ("Namespace", "v1"),
    ("Secret", "v1"),
    ("ConfigMap", "v1"),
    ("ServiceAccount", "v1"),
    ("Service", "v1"),
    ("Role", "rbac.authorization.k8s.io/v1"),
    ("RoleBinding", "rbac.authorization.k8s.io/v1"),
    ("Deployment", "apps/v1"),
    ("CronJob", "batch/v1"),
    ("Job", "batch/v1"),
    ("Kustomization", "kustomize.config.k8s.io/v1beta1"),
];

fn parse(file: &str) -> Vec<Value> {
    let text = project(&format!("examples/kubernetes/{file}"));
    text.split("\n---\n").map(|document| yaml_serde::from_str(document).unwrap()).collect()
}

fn manifests() -> Vec<Value> {
    FILES.iter().flat_map(|file| parse(file)).collect()
}

/// The value at a path that must be there.
fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    value.pointer(path).unwrap_or_else(|| panic!("there is no {path} in {value:#}"))
}

fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    at(value, path).as_str().unwrap_or_else(|| panic!("{path} is not text in {value:#}"))
}

fn list<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    value.pointer(path).map_or(&[], |list| list.as_array().unwrap())
}

fn texts<'a>(value: &'a Value, path: &str) -> Vec<&'a str> {
    list(value, path).iter().map(|text| text.as_str().unwrap()).collect()
}

/// Whether the manifests have this object.
fn defined(kind: &str, name: &str) -> bool {
    let is = |object: &Value| object["kind"] == kind && object["metadata"]["name"] == name;
    manifests().iter().any(is)
}

/// Every pod that is described, with its name.
fn pods() -> Vec<(String, Value)> {
    let pods: Vec<_> = manifests()
        .iter()
        .filter_map(|object| {
            let template = match object["kind"].as_str().unwrap() {
                "Deployment" | "Job" => at(object, "/spec/template"),
                "CronJob" => at(object, "/spec/jobTemplate/spec/template"),
                _ => return None,
            };
            Some((text(object, "/metadata/name").to_owned(), template["spec"].clone()))
        })
        .collect();
    assert_eq!(pods.len(), 3);
    pods
}

fn containers(pod: &Value) -> &[Value] {
    assert!(pod.get("initContainers").is_none(), "look at those as well");
    list(pod, "/containers")
}

/// All that a container is started with.
fn arguments(container: &Value) -> Vec<&str> {
    [texts(container, "/command"), texts(container, "/args")].concat()
}

/// The value of `--name=value`.
fn option<'a>(container: &'a Value, name: &str) -> &'a str {
    let prefix = format!("--{name}=");
    let value = arguments(container).into_iter().find_map(|text| text.strip_prefix(&prefix));
    value.unwrap_or_else(|| panic!("there is no {prefix} in {container:#}"))
}

#[test]
fn every_document_is_an_object() {
    let mut seen = BTreeSet::new();
    for object in manifests().iter().chain(&parse("kustomization.yaml")) {
        let kind = text(object, "/kind");
        assert!(KINDS.contains(&(kind, text(object, "/apiVersion"))), "{object:#}");
        if kind == "Kustomization" {
            continue;
        }
        let name = text(object, "/metadata/name");
        let is_valid = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(name.len() < 64 && name.chars().all(is_valid), "{name}");
        assert!(seen.insert((kind.to_owned(), name.to_owned())), "{kind} {name} is there twice");
        // The keys in a manifest would be in every repository it is in.
        assert!(object.get("data").is_none() && object.get("stringData").is_none());
    }
}

#[test]
fn kustomization_lists_the_files() {
    let kustomization = &parse("kustomization.yaml")[0];
    let mut listed = texts(kustomization, "/resources");
    listed.push("seal-checkpoint.yaml");
    assert_eq!(BTreeSet::from_iter(listed), BTreeSet::from(FILES));
    assert!(defined("Namespace", text(kustomization, "/namespace")));
}

#[test]
fn selectors_find_their_pods() {
    for object in manifests() {
        if object["kind"] == "Deployment" {
            let labels = at(&object, "/spec/template/metadata/labels");
            assert_eq!(at(&object, "/spec/selector/matchLabels"), labels);
        }
        if object["kind"] == "Service" {
            let name = text(&object, "/metadata/name");
            let (_, pod) = pods().into_iter().find(|(pod, _)| pod == name).unwrap();
            assert_eq!(text(&object, "/spec/selector/app"), name);
            let target = text(&object, "/spec/ports/0/targetPort");
            let ports = list(&containers(&pod)[0], "/ports").to_vec();
            assert!(ports.iter().any(|port| port["name"] == target));
        }
    }
}

/// Every volume is mounted and every mount is a volume; what it shows exists, or the README makes
/// it.
#[test]
fn volumes_exist() {
    let readme = project("examples/kubernetes/README.md");
    for (name, pod) in pods() {
        let mounts: BTreeSet<_> = containers(&pod)
            .iter()
            .flat_map(|container| list(container, "/volumeMounts"))
            .inspect(|mount| assert!(mount.get("subPath").is_none(), "it would never change"))
            .map(|mount| text(mount, "/name"))
            .collect();
        let volumes = list(&pod, "/volumes");
        assert_eq!(mounts, volumes.iter().map(|volume| text(volume, "/name")).collect(), "{name}");
        for volume in volumes {
            if let Some(secret) = volume.pointer("/secret/secretName") {
                assert!(defined("Secret", secret.as_str().unwrap()), "{secret}");
                // Readable by the group that the pod has, and by nobody else.
                assert_eq!(at(volume, "/secret/defaultMode"), 0o440);
                assert_eq!(at(&pod, "/securityContext/fsGroup"), 10001);
            } else if let Some(config) = volume.pointer("/configMap/name") {
                let made = format!("create configmap {} ", config.as_str().unwrap());
                assert!(readme.contains(&made), "README.md does not `{made}`");
            } else if let Some(claim) = volume.pointer("/persistentVolumeClaim/claimName") {
                assert!(readme.contains(&format!("a volume `{}`", claim.as_str().unwrap())));
            } else if text(volume, "/name") == "state" {
                // On a disk: it holds no secret.
                at(volume, "/emptyDir/sizeLimit");
            } else {
                assert_eq!(at(volume, "/emptyDir/medium"), "Memory");
            }
        }
    }
}

/// The paths in arguments and variables are in mounted directories.
#[test]
fn paths_are_mounted() {
    let mut checked = 0;
    for (_, pod) in pods() {
        for container in containers(&pod) {
            let mounts = list(container, "/volumeMounts");
            let mounts: Vec<_> = mounts.iter().map(|mount| text(mount, "/mountPath")).collect();
            let variables = list(container, "/env").iter().map(|one| text(one, "/value"));
            let values = arguments(container).into_iter().chain(variables);
            for value in values.map(|text| text.split_once('=').map_or(text, |(_, value)| value)) {
                if value.starts_with('/') {
                    let is_in =
                        |mount: &&str| value == *mount || value.starts_with(&format!("{mount}/"));
                    assert!(mounts.iter().any(is_in), "{value} is not in {mounts:?}");
                    checked += 1;
                }
            }
        }
    }
    assert_eq!(checked, 4 + 4 + 1);
}

#[test]
fn the_service_gets_what_it_reads() {
    let (_, pod) = pods().into_iter().find(|(name, _)| name == "inference").unwrap();
    let container = &containers(&pod)[0];
    assert_eq!(arguments(container)[..2], ["inference_service", "serve"]);
    let source = |path: &str| {
        let is_at = |mount: &&Value| text(mount, "/mountPath") == path;
        let mount = list(container, "/volumeMounts").iter().find(is_at).unwrap();
        let is_named = |volume: &&Value| volume["name"] == mount["name"];
        list(&pod, "/volumes").iter().find(is_named).unwrap().clone()
    };
    // Directories are whole mounts: only those change when the Secret does.
    let keys = source(option(container, "keys"));
    assert_eq!(text(&keys, "/secret/secretName"), "inference-kem");
    let clients = source(option(container, "clients"));
    assert_eq!(text(&clients, "/configMap/name"), "inference-clients");
    let (directory, _) = option(container, "mark").rsplit_once('/').unwrap();
    assert!(source(directory).get("emptyDir").is_some());
    let (directory, file) = option(container, "sign-answers").rsplit_once('/').unwrap();
    assert_eq!(text(&source(directory), "/secret/secretName"), "inference-signing");
    // The file names of the keys. `rotation` tests that a keyring reads them.
    let script = project("examples/kubernetes/rotate-keys.sh");
    assert!(script.contains(&format!("\"data\":{{\"{file}\":")));

    for (index, address) in ["listen", "health"].into_iter().enumerate() {
        let port: u16 = option(container, address).rsplit_once(':').unwrap().1.parse().unwrap();
        assert_eq!(*at(container, &format!("/ports/{index}/containerPort")), port);
    }
    for probe in ["readinessProbe", "livenessProbe"] {
        let probe = &container[probe]["httpGet"];
        assert_eq!(text(probe, "/path"), "/healthz");
        assert_eq!(probe["port"], *at(container, "/ports/1/name"));
    }
}

/// A pod that is broken into is worth little: no root, nothing to write to, no token.
#[test]
fn pods_are_confined() {
    for (name, pod) in pods() {
        let context = at(&pod, "/securityContext");
        assert_eq!(context["runAsNonRoot"], true);
        assert_eq!(context["runAsUser"], image::user());
        assert_eq!(at(context, "/seccompProfile/type"), "RuntimeDefault");
        assert_eq!(pod["automountServiceAccountToken"], name == "rotate-keys", "{name}");
        assert!(defined("ServiceAccount", text(&pod, "/serviceAccountName")));
        for container in containers(&pod) {
            let context = at(container, "/securityContext");
            assert_eq!(context["allowPrivilegeEscalation"], false);
            assert_eq!(context["readOnlyRootFilesystem"], true);
            assert_eq!(texts(context, "/capabilities/drop"), ["ALL"]);
            at(container, "/resources/limits/memory");
        }
    }
}

/// The rotation has exactly the permissions that it uses, for the objects in its settings.
#[test]
fn the_rotation_may_do_its_work() {
    let (_, pod) = pods().into_iter().find(|(name, _)| name == "rotate-keys").unwrap();
    let container = &containers(&pod)[0];
    let variable = |name: &str| {
        let is_named = |one: &&Value| one["name"] == name;
        let found = list(container, "/env").iter().find(is_named);
        text(found.unwrap_or_else(|| panic!("{name} is not set")), "/value").to_owned()
    };
    let script = project("examples/kubernetes/rotate-keys.sh");
    let commands = script.split("kubectl ").skip(1).map(|rest| rest.split(' ').next().unwrap());
    let used: BTreeSet<_> = commands.collect();
    assert_eq!(used, BTreeSet::from(["get", "patch"]));

    let manifests = manifests();
    let role = manifests.iter().find(|object| object["kind"] == "Role").unwrap();
    let secrets = [variable("KEM_SECRET"), variable("SIGNING_SECRET")];
    let public = [variable("PUBLIC_CONFIGMAP")];
    for (rule, kind, names) in [(0, "Secret", &secrets[..]), (1, "ConfigMap", &public)] {
        let rule = at(role, &format!("/rules/{rule}"));
        assert_eq!(texts(rule, "/resourceNames"), names);
        assert_eq!(texts(rule, "/resources"), [format!("{}s", kind.to_lowercase())]);
        assert_eq!(BTreeSet::from_iter(texts(rule, "/verbs")), used);
        assert!(names.iter().all(|name| defined(kind, name)));
    }
    assert_eq!(list(role, "/rules").len(), 2);
    let binding = manifests.iter().find(|object| object["kind"] == "RoleBinding").unwrap();
    assert_eq!(text(binding, "/roleRef/name"), text(role, "/metadata/name"));
    assert_eq!(text(binding, "/subjects/0/name"), text(&pod, "/serviceAccountName"));

    let settle: u64 = variable("SETTLE_SECONDS").parse().unwrap();
    let cron = manifests.iter().find(|object| object["kind"] == "CronJob").unwrap();
    let deadline = at(cron, "/spec/jobTemplate/spec/activeDeadlineSeconds").as_u64().unwrap();
    assert!(settle * 2 < deadline);
    assert_eq!(at(cron, "/spec/concurrencyPolicy"), "Forbid");
}

/// The commands are in the images, and know the arguments.
#[test]
fn commands_exist() {
    for (name, pod) in pods() {
        for container in containers(&pod) {
            let arguments = arguments(container);
            let (image, _version) = text(container, "/image").split_once(':').unwrap();
            let programs = image::programs(image);
            assert!(programs.contains(arguments[0]), "{name}: {image} has {programs:?}");
        }
    }
}

/// As [`commands_exist`], for the Job.
#[cfg(feature = "object_store")]
#[test]
fn the_job_knows_its_arguments() {
    let (_, pod) = pods().into_iter().find(|(name, _)| name == "seal-checkpoint").unwrap();
    knows(&arguments(&containers(&pod)[0]));
}

/// As [`commands_exist`], for the service.
#[test]
fn the_service_knows_its_arguments() {
    let (_, pod) = pods().into_iter().find(|(name, _)| name == "inference").unwrap();
    knows(&arguments(&containers(&pod)[0]));
}

/// A program prints help for the arguments that it is given.
fn knows(arguments: &[&str]) {
    let help = example(arguments[0], [arguments[1], "--help"]).prints();
    for argument in &arguments[2..] {
        if argument.starts_with("--") {
            let known = match argument.split_once('=') {
                Some((name, _)) => format!("{name} <"),
                None => format!("{argument} "),
            };
            assert!(help.contains(&known), "{argument} is not in {help}");
        }
    }
}

// Package k8s pins the version of Kubernetes' storage layer whose own tests judge Quoin; build compiles them.
package k8s

import (
	_ "k8s.io/apiserver/pkg/storage/cacher"
	_ "k8s.io/apiserver/pkg/storage/etcd3"
)

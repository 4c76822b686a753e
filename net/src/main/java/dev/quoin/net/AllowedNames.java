package dev.quoin.net;

import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.List;

/**
 * Which certificates are good enough, of those that are trusted: etcd's AllowedCNs and AllowedHostnames
 * (client/pkg/transport/listener.go). An empty list asks for nothing.
 *
 * @param commonNames one of which it must have
 * @param hostNames   for one of which it must be valid, names or addresses
 */
record AllowedNames(List<String> commonNames, List<String> hostNames) {
    boolean areAll() {
        return commonNames.isEmpty() && hostNames.isEmpty();
    }

    void check(X509Certificate certificate) throws CertificateException {
        CertificateNames names = CertificateNames.of(certificate);
        String commonName = TlsContext.commonName(certificate.getSubjectX500Principal().getName());
        boolean isNamed = commonNames.isEmpty() || commonNames.contains(commonName);
        boolean isFor = hostNames.isEmpty() || hostNames.stream().anyMatch(names::areFor);
        if (!isNamed || !isFor) {
            throw new CertificateException("client certificate authentication failed: common name " + commonName
                    + ", names " + names.hosts() + ", addresses " + names.addresses());
        }
    }
}

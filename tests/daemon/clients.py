#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# libvirt's Python binding as a client of lodged: clients.py URI KERNEL. Says "all is well" at the end.
import sys
import threading

import libvirt

uri, kernel = sys.argv[1:]
XML = f"""<domain type='qemu'><name>snake</name><memory unit='MiB'>8</memory>
<os><type>hvm</type><kernel>{kernel}</kernel></os>
<devices><serial type='pty'/><memballoon model='none'/></devices></domain>"""

heard = []


def lifecycle(connection, guest, event, detail, opaque):
    heard.append(event)


def refused(code, function, *arguments):
    try:
        function(*arguments)
    except libvirt.libvirtError as error:
        assert error.get_error_code() == code, error
        return
    raise AssertionError(f"{function} has worked")


libvirt.registerErrorHandler(lambda *_: None, None)
libvirt.virEventRegisterDefaultImpl()
loop = threading.Thread(target=lambda: [libvirt.virEventRunDefaultImpl() for _ in iter(int, 1)], daemon=True)
loop.start()

connection = libvirt.open(uri)
connection.setKeepAlive(5, 3)
assert connection.isAlive() and connection.isSecure()
assert connection.getType() == "QEMU"
assert connection.getMaxVcpus("qemu") >= 1
connection.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, lifecycle, None)

guest = connection.defineXML(XML)
assert guest.isPersistent() and not guest.isActive()
assert guest.UUIDString() == connection.lookupByName("snake").UUIDString()
refused(libvirt.VIR_ERR_NO_DOMAIN, connection.lookupByName, "none")
refused(libvirt.VIR_ERR_OPERATION_INVALID, guest.destroy)
refused(libvirt.VIR_ERR_XML_ERROR, connection.defineXML, "<domain")
guest.setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, "<note>a</note>", "n", "urn:n",
                  libvirt.VIR_DOMAIN_AFFECT_CONFIG)
assert "a" in guest.metadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, "urn:n")
guest.create()
refused(libvirt.VIR_ERR_OPERATION_INVALID, guest.create)
assert guest.state()[0] == libvirt.VIR_DOMAIN_RUNNING
assert [record[0].name() for record in connection.getAllDomainStats()] == ["snake"]

# Calls of several threads on one connection overlap.
answers = []
threads = [threading.Thread(target=lambda: answers.append(guest.info()[0])) for _ in range(20)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert answers == [libvirt.VIR_DOMAIN_RUNNING] * 20

console = connection.newStream()
guest.openConsole(None, console)
console.send(b"hiss")
said = b""
while b"hiss" not in said:
    said += console.recv(100)
console.finish()
guest.destroy()
guest.undefine()

pool = connection.storagePoolLookupByName("default")
volume = pool.createXML("<volume><name>egg</name><capacity>100</capacity></volume>")
upload = connection.newStream()
volume.upload(upload, 0, 0)
upload.send(b"yolk")
upload.finish()
download = connection.newStream()
volume.download(download, 0, 4)
assert download.recv(4) == b"yolk"
download.abort()
volume.delete()

while libvirt.VIR_DOMAIN_EVENT_UNDEFINED not in heard:
    threading.Event().wait(0.05)
assert libvirt.VIR_DOMAIN_EVENT_STARTED in heard
connection.close()
print("all is well")

// Walks the local DigitalOcean with DigitalOcean's own Go client, the one inside doctl and the
// Terraform and Pulumi providers. Usage: DIGITALOCEAN_API_URL=… DIGITALOCEAN_TOKEN=… go run .
package main

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/digitalocean/godo"
)

var ctx = context.Background()

// check stops at the first thing that is not as expected.
func check(what string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "FAILED %s: %v\n", what, err)
		os.Exit(1)
	}
	fmt.Println("ok", what)
}

func expect(what string, ok bool, got any) {
	if !ok {
		check(what, fmt.Errorf("got %+v", got))
	}
	fmt.Println("ok", what)
}

// refused expects an error with this status and a message that contains this text.
func refused(what string, err error, status int, text string) {
	var response *godo.ErrorResponse
	if !errors.As(err, &response) || response.Response.StatusCode != status || !strings.Contains(response.Message, text) {
		check(what, fmt.Errorf("want %d %q, got %v", status, text, err))
	}
	fmt.Println("ok", what)
}

func until(what string, done func() (bool, error)) {
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if ok, err := done(); err != nil {
			check(what, err)
		} else if ok {
			fmt.Println("ok", what)
			return
		}
	}
	check(what, errors.New("not in time"))
}

func newKey() string {
	public, _, err := ed25519.GenerateKey(nil)
	check("make a key", err)
	var blob []byte
	for _, part := range [][]byte{[]byte("ssh-ed25519"), public} {
		blob = binary.BigEndian.AppendUint32(blob, uint32(len(part)))
		blob = append(blob, part...)
	}
	return "ssh-ed25519 " + base64.StdEncoding.EncodeToString(blob) + " check"
}

func main() {
	client, err := godo.New(godo.NewFromToken(os.Getenv("DIGITALOCEAN_TOKEN")).HTTPClient, godo.SetBaseURL(os.Getenv("DIGITALOCEAN_API_URL")))
	check("client", err)
	action := func(what string, action *godo.Action, err error) {
		check(what, err)
		until(what+" completes", func() (bool, error) {
			got, _, err := client.Actions.Get(ctx, action.ID)
			if err == nil && got.Status == "errored" {
				err = errors.New("errored")
			}
			return err == nil && got.Status == "completed" && got.CompletedAt != nil, err
		})
	}
	region := "fra1"
	name := fmt.Sprintf("godo-%d", time.Now().UnixNano()%1e9)

	account, _, err := client.Account.Get(ctx)
	check("account", err)
	expect("account is active", account.Status == "active" && account.ReservedIPLimit > 0, account)
	_, _, err = client.Balance.Get(ctx)
	check("balance", err)
	regions, _, err := client.Regions.List(ctx, &godo.ListOptions{PerPage: 200})
	check("regions", err)
	expect("regions have sizes", len(regions) > 5 && len(regions[0].Sizes) > 10, regions)
	sizes, response, err := client.Sizes.List(ctx, &godo.ListOptions{Page: 2, PerPage: 5})
	check("sizes", err)
	current, _ := response.Links.CurrentPage()
	expect("pages", len(sizes) == 5 && current == 2 && !response.Links.IsLastPage() && sizes[0].PriceMonthly > 0, response.Links)
	image, _, err := client.Images.GetBySlug(ctx, "debian-12-x64")
	check("image", err)
	distributions, _, err := client.Images.ListDistribution(ctx, nil)
	check("distributions", err)
	expect("image is Debian", image.Distribution == "Debian" && len(distributions) > 4, image)

	key, _, err := client.Keys.Create(ctx, &godo.KeyCreateRequest{Name: name, PublicKey: newKey()})
	check("SSH key", err)
	_, _, err = client.Keys.Create(ctx, &godo.KeyCreateRequest{Name: name, PublicKey: key.PublicKey})
	refused("the same key twice", err, 422, "already in use")
	_, _, err = client.Keys.GetByFingerprint(ctx, key.Fingerprint)
	check("SSH key by fingerprint", err)
	tag, _, err := client.Tags.Create(ctx, &godo.TagCreateRequest{Name: name})
	check("tag", err)
	expect("tag counts", tag.Resources.Volumes != nil && tag.Resources.Databases != nil && tag.Resources.Images != nil, tag.Resources)

	vpc, _, err := client.VPCs.Create(ctx, &godo.VPCCreateRequest{Name: name, RegionSlug: region, IPRange: "10.77.0.0/20"})
	check("VPC", err)
	_, _, err = client.VPCs.Create(ctx, &godo.VPCCreateRequest{Name: name + "-2", RegionSlug: region, IPRange: "10.77.8.0/24"})
	refused("overlapping VPC", err, 422, "overlaps")
	_, _, err = client.VPCs.Update(ctx, vpc.ID, &godo.VPCUpdateRequest{Name: name, Description: "checked"})
	check("VPC update", err)

	droplet, response, err := client.Droplets.Create(ctx, &godo.DropletCreateRequest{
		Name: name, Region: region, Size: "s-1vcpu-1gb", Image: godo.DropletCreateImage{Slug: "debian-12-x64"},
		SSHKeys: []godo.DropletCreateSSHKey{{Fingerprint: key.Fingerprint}}, VPCUUID: vpc.ID, Tags: []string{name},
		UserData: "#cloud-config\n", Monitoring: true, IPv6: true,
	})
	check("Droplet", err)
	expect("Droplet's action", len(response.Links.Actions) == 1 && response.Links.Actions[0].Rel == "create", response.Links)
	created, _, err := client.DropletActions.GetByURI(ctx, response.Links.Actions[0].HREF)
	action("create", created, err)
	droplet, _, err = client.Droplets.Get(ctx, droplet.ID)
	check("Droplet read", err)
	public, _ := droplet.PublicIPv4()
	private, _ := droplet.PrivateIPv4()
	expect("Droplet runs", droplet.Status == "active" && public != "" && private == "10.77.0.2" && droplet.VPCUUID == vpc.ID && droplet.Size.PriceMonthly == 6 && droplet.Image.Slug == "debian-12-x64" && len(droplet.Features) >= 3, droplet)
	several, _, err := client.Droplets.CreateMultiple(ctx, &godo.DropletMultiCreateRequest{
		Names: []string{name + "-a", name + "-b"}, Region: region, Size: "s-1vcpu-1gb", Image: godo.DropletCreateImage{ID: image.ID}, VPCUUID: vpc.ID, Tags: []string{name + "-many"},
	})
	check("two Droplets", err)
	for _, each := range several {
		until("one of two runs", func() (bool, error) {
			got, _, err := client.Droplets.Get(ctx, each.ID)
			return err == nil && got.Status == "active", err
		})
	}
	listed, _, err := client.Droplets.ListByTag(ctx, name+"-many", nil)
	check("Droplets by tag", err)
	expect("two by tag", len(listed) == 2, listed)
	_, err = client.VPCs.Delete(ctx, vpc.ID)
	refused("delete VPC with members", err, 403, "members")
	members, _, err := client.VPCs.ListMembers(ctx, vpc.ID, nil, nil)
	check("members", err)
	expect("three members", len(members) == 3, members)

	volume, _, err := client.Storage.CreateVolume(ctx, &godo.VolumeCreateRequest{Name: name, Region: region, SizeGigaBytes: 10, FilesystemType: "xfs", Tags: []string{name}})
	check("Volume", err)
	attach, _, err := client.StorageActions.Attach(ctx, volume.ID, droplet.ID)
	action("attach", attach, err)
	_, err = client.Storage.DeleteVolume(ctx, volume.ID)
	refused("delete attached Volume", err, 409, "attached")
	grow, _, err := client.StorageActions.Resize(ctx, volume.ID, 20, region)
	action("grow", grow, err)
	volumes, _, err := client.Storage.ListVolumes(ctx, &godo.ListVolumeParams{Name: name, Region: region})
	check("Volume by name", err)
	expect("Volume is attached", len(volumes) == 1 && volumes[0].SizeGigaBytes == 20 && len(volumes[0].DropletIDs) == 1, volumes)
	snapshot, _, err := client.Storage.CreateSnapshot(ctx, &godo.SnapshotCreateRequest{VolumeID: volume.ID, Name: name})
	check("Volume snapshot", err)
	_, err = client.Storage.DeleteSnapshot(ctx, snapshot.ID)
	check("Volume snapshot deleted", err)

	ip, _, err := client.ReservedIPs.Create(ctx, &godo.ReservedIPCreateRequest{Region: region})
	check("Reserved IP", err)
	assign, _, err := client.ReservedIPActions.Assign(ctx, ip.IP, droplet.ID)
	action("assign", assign, err)
	ip, _, err = client.ReservedIPs.Get(ctx, ip.IP)
	check("Reserved IP read", err)
	expect("Reserved IP is on the Droplet", ip.Droplet != nil && ip.Droplet.ID == droplet.ID && ip.Region.Slug == region, ip)
	_, _, err = client.FloatingIPs.Get(ctx, ip.IP)
	check("the same as a floating IP", err)

	rules := godo.FirewallRequest{
		Name: name, Tags: []string{name},
		InboundRules:  []godo.InboundRule{{Protocol: "tcp", PortRange: "22", Sources: &godo.Sources{Addresses: []string{"0.0.0.0/0", "::/0"}}}, {Protocol: "icmp", Sources: &godo.Sources{Tags: []string{name}}}},
		OutboundRules: []godo.OutboundRule{{Protocol: "tcp", PortRange: "all", Destinations: &godo.Destinations{Addresses: []string{"0.0.0.0/0"}}}},
	}
	firewall, _, err := client.Firewalls.Create(ctx, &rules)
	check("Firewall", err)
	expect("ports are 0 for all", firewall.OutboundRules[0].PortRange == "0" && firewall.InboundRules[1].PortRange == "0", firewall)
	_, err = client.Firewalls.AddDroplets(ctx, firewall.ID, several[0].ID)
	check("Firewall on a Droplet", err)
	_, err = client.Firewalls.RemoveDroplets(ctx, firewall.ID, several[0].ID)
	check("Firewall off a Droplet", err)
	_, err = client.Firewalls.RemoveTags(ctx, firewall.ID, name)
	check("Firewall off a tag", err)
	_, err = client.Firewalls.AddTags(ctx, firewall.ID, name)
	check("Firewall on a tag", err)
	_, err = client.Firewalls.RemoveRules(ctx, firewall.ID, &godo.FirewallRulesRequest{InboundRules: rules.InboundRules[1:]})
	check("Firewall rule removed", err)
	of, _, err := client.Firewalls.ListByDroplet(ctx, droplet.ID, nil)
	check("Firewalls of a Droplet", err)
	expect("one Firewall with one rule", len(of) == 1 && len(of[0].InboundRules) == 1, of)

	domain := name + ".example.com"
	_, _, err = client.Domains.Create(ctx, &godo.DomainCreateRequest{Name: domain, IPAddress: ip.IP})
	check("domain", err)
	record, _, err := client.Domains.CreateRecord(ctx, domain, &godo.DomainRecordEditRequest{Type: "CNAME", Name: "www", Data: domain + ".", TTL: 60})
	check("record", err)
	expect("no trailing dot", record.Data == domain && record.TTL == 60, record)
	record, _, err = client.Domains.EditRecord(ctx, domain, record.ID, &godo.DomainRecordEditRequest{Type: "CNAME", Name: "www", Data: "@", TTL: 120})
	check("record edited", err)
	records, _, err := client.Domains.Records(ctx, domain, nil)
	check("records", err)
	expect("SOA, three NS, A and CNAME", len(records) == 6, records)

	project, _, err := client.Projects.Create(ctx, &godo.CreateProjectRequest{Name: name, Purpose: "check", Environment: "development"})
	check("project", err)
	_, _, err = client.Projects.AssignResources(ctx, project.ID, droplet, volume, ip.URN(), "do:domain:"+domain)
	check("resources of a project", err)
	_, err = client.Projects.Delete(ctx, project.ID)
	refused("delete project with resources", err, 412, "cannot delete a project with resources")
	resources, _, err := client.Projects.ListResources(ctx, project.ID, nil)
	check("project's resources", err)
	expect("four resources", len(resources) == 4, resources)
	standard, _, err := client.Projects.GetDefault(ctx)
	check("default project", err)
	_, _, err = client.Projects.AssignResources(ctx, standard.ID, droplet, volume, ip.URN(), "do:domain:"+domain)
	check("resources back", err)
	_, _, err = client.Projects.Update(ctx, project.ID, &godo.UpdateProjectRequest{Name: name + "-2", Description: "", Purpose: "check", Environment: nil, IsDefault: false})
	check("project update", err)
	_, err = client.Projects.Delete(ctx, project.ID)
	check("project deleted", err)

	wanted := godo.DropletAutoscalePoolRequest{
		Name:            name,
		Config:          &godo.DropletAutoscaleConfiguration{TargetNumberInstances: 2},
		DropletTemplate: &godo.DropletAutoscaleResourceTemplate{Size: "s-1vcpu-1gb", Region: region, Image: "debian-12-x64", SSHKeys: []string{key.Fingerprint}, WithDropletAgent: true},
	}
	pool, _, err := client.DropletAutoscale.Create(ctx, &wanted)
	check("autoscale pool", err)
	full := func(count int) func() (bool, error) {
		return func() (bool, error) {
			found, _, err := client.DropletAutoscale.ListMembers(ctx, pool.ID, nil)
			active := 0
			for _, each := range found {
				if each.Status == "active" {
					active++
				}
			}
			return len(found) == count && active == count, err
		}
	}
	until("pool has two members", full(2))
	wanted.Config = &godo.DropletAutoscaleConfiguration{MinInstances: 3, MaxInstances: 4, TargetCPUUtilization: 0.5, CooldownMinutes: 5}
	pool, _, err = client.DropletAutoscale.Update(ctx, pool.ID, &wanted)
	check("pool by load", err)
	expect("pool is active", pool.Status == "active" && pool.Config.MinInstances == 3 && !pool.CreatedAt.IsZero(), pool)
	until("pool has three members", full(3))
	history, _, err := client.DropletAutoscale.ListHistory(ctx, pool.ID, nil)
	check("pool's history", err)
	expect("two events", len(history) == 2 && history[1].Status == "success", history)
	_, err = client.DropletAutoscale.DeleteDangerous(ctx, pool.ID)
	check("pool deleted with its Droplets", err)
	until("pool is gone", func() (bool, error) {
		_, _, err := client.DropletAutoscale.Get(ctx, pool.ID)
		return err != nil && strings.Contains(err.Error(), fmt.Sprintf("autoscale group with id %s not found", pool.ID)), nil
	})

	// What the provider does for a new size.
	off, _, err := client.DropletActions.PowerOff(ctx, droplet.ID)
	action("power off", off, err)
	resize, _, err := client.DropletActions.Resize(ctx, droplet.ID, "s-2vcpu-2gb", false)
	action("resize", resize, err)
	on, _, err := client.DropletActions.PowerOn(ctx, droplet.ID)
	action("power on", on, err)
	droplet, _, err = client.Droplets.Get(ctx, droplet.ID)
	check("Droplet after the resize", err)
	expect("more processors, same disk", droplet.Vcpus == 2 && droplet.Disk == 25 && droplet.Status == "active", droplet)
	rename, _, err := client.DropletActions.Rename(ctx, droplet.ID, name+"-new")
	action("rename", rename, err)
	backups, _, err := client.DropletActions.EnableBackupsWithPolicy(ctx, droplet.ID, &godo.DropletBackupPolicyRequest{Plan: "daily", Hour: godo.PtrTo(4)})
	action("backups", backups, err)
	policy, _, err := client.Droplets.GetBackupPolicy(ctx, droplet.ID)
	check("backup policy", err)
	expect("daily", policy.BackupPolicy.Plan == "daily" && policy.BackupPolicy.Hour == 4, policy)
	shot, _, err := client.DropletActions.Snapshot(ctx, droplet.ID, name)
	action("snapshot", shot, err)
	shots, _, err := client.Droplets.Snapshots(ctx, droplet.ID, nil)
	check("snapshots", err)
	expect("one snapshot", len(shots) == 1 && shots[0].Name == name, shots)
	_, err = client.Snapshots.Delete(ctx, fmt.Sprint(shots[0].ID))
	check("snapshot deleted", err)

	unassign, _, err := client.ReservedIPActions.Unassign(ctx, ip.IP)
	action("unassign", unassign, err)
	_, _, err = client.ReservedIPActions.Unassign(ctx, ip.IP)
	refused("unassign twice", err, 422, "not assigned")
	_, err = client.ReservedIPs.Delete(ctx, ip.IP)
	check("Reserved IP deleted", err)
	detach, _, err := client.StorageActions.DetachByDropletID(ctx, volume.ID, droplet.ID)
	action("detach", detach, err)
	_, err = client.Storage.DeleteVolume(ctx, volume.ID)
	check("Volume deleted", err)
	_, err = client.Droplets.DeleteByTag(ctx, name+"-many")
	check("Droplets deleted by tag", err)
	_, err = client.Droplets.Delete(ctx, droplet.ID)
	check("Droplet deleted", err)
	until("Droplet is gone", func() (bool, error) {
		_, response, err := client.Droplets.Get(ctx, droplet.ID)
		if err == nil || response.StatusCode != 404 {
			return false, nil
		}
		return true, nil
	})
	until("VPC is deleted", func() (bool, error) {
		response, err := client.VPCs.Delete(ctx, vpc.ID)
		if response != nil && response.StatusCode == 403 {
			return false, nil
		}
		return err == nil, err
	})
	_, err = client.Firewalls.Delete(ctx, firewall.ID)
	check("Firewall deleted", err)
	_, err = client.Domains.Delete(ctx, domain)
	check("domain deleted", err)
	for _, each := range []string{name, name + "-many"} {
		_, err = client.Tags.Delete(ctx, each)
		check("tag deleted", err)
	}
	_, err = client.Keys.DeleteByID(ctx, key.ID)
	check("SSH key deleted", err)
	_, _, err = client.Keys.GetByID(ctx, key.ID)
	refused("SSH key is gone", err, 404, "could not be found")
	fmt.Println("everything as with DigitalOcean")
}

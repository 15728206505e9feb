// Command crictl is the lab's stand-in for cri-tools, which Debian does not
// carry: the subcommands that kubeadm and people use, over the real CRI. It is
// built inside the Kubernetes source tree, whose vendored CRI client it uses.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"google.golang.org/grpc"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1alpha2"
)

type client struct {
	ctx    context.Context
	rt     cri.RuntimeServiceClient
	img    cri.ImageServiceClient
	quiet  bool
	all    bool
	output string
	filter map[string]string
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "FATA", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	endpoint := configured("/etc/crictl.yaml")
	timeout := 10 * time.Minute
	c := &client{filter: map[string]string{}}
	var words []string
	for i := 0; i < len(args); i++ {
		name, value, inline := strings.Cut(args[i], "=")
		take := func() string {
			if !inline && i+1 < len(args) {
				i++
				value = args[i]
			}
			return value
		}
		if len(words) > 0 && words[0] == "logs" && !strings.HasPrefix(name, "-") {
			words = append(words, args[i])
			continue
		}
		switch name {
		case "-v", "--version":
			fmt.Println("crictl version v1.20.0 (kdiy test lab)")
			return nil
		case "-r", "--runtime-endpoint":
			endpoint = take()
		case "-i", "--image-endpoint", "-c", "--config":
			take()
		case "-t", "--timeout":
			d, err := time.ParseDuration(take())
			if err != nil {
				return err
			}
			timeout = d
		case "-q", "--quiet":
			c.quiet = true
		case "-a", "--all":
			c.all = true
		case "-f", "--force":
		case "-o", "--output":
			c.output = take()
		case "--name", "--state", "-s", "--namespace", "--label", "-p", "--pod":
			c.filter[strings.TrimLeft(name, "-")] = take()
		default:
			if strings.HasPrefix(name, "-") {
				return fmt.Errorf("flag not in the lab's crictl: %s", name)
			}
			words = append(words, args[i])
		}
	}
	if len(words) == 0 {
		return errors.New("usage: crictl [-r ENDPOINT] info|version|pull|inspecti|images|rmi|pods|ps|inspect|logs|stopp|rmp|stop|rm")
	}
	if strings.HasPrefix(endpoint, "/") {
		endpoint = "unix://" + endpoint
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	dial, stop := context.WithTimeout(ctx, 2*time.Second)
	defer stop()
	conn, err := grpc.DialContext(dial, endpoint, grpc.WithInsecure(), grpc.WithBlock(),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(16<<20)))
	if err != nil {
		return fmt.Errorf("connect: connect endpoint '%s': %w", endpoint, err)
	}
	c.ctx, c.rt, c.img = ctx, cri.NewRuntimeServiceClient(conn), cri.NewImageServiceClient(conn)
	return c.do(words[0], words[1:])
}

// configured reads runtime-endpoint of crictl.yaml, the only key that matters.
func configured(path string) string {
	text, _ := os.ReadFile(path)
	for _, line := range strings.Split(string(text), "\n") {
		key, value, _ := strings.Cut(line, ":")
		if strings.TrimSpace(key) == "runtime-endpoint" {
			return strings.Trim(strings.TrimSpace(value), `"'`)
		}
	}
	return "unix:///run/containerd/containerd.sock"
}

func (c *client) do(command string, args []string) error {
	switch command {
	case "version":
		return c.version()
	case "info":
		return c.info()
	case "images", "image":
		return c.images()
	case "pods":
		return c.pods()
	case "ps":
		return c.ps()
	}
	if len(args) == 0 {
		return fmt.Errorf("%s: needs an argument", command)
	}
	for _, arg := range args {
		if err := c.each(command, arg); err != nil {
			return err
		}
	}
	return nil
}

func (c *client) each(command, id string) error {
	var err error
	switch command {
	case "pull":
		var r *cri.PullImageResponse
		if r, err = c.img.PullImage(c.ctx, &cri.PullImageRequest{Image: &cri.ImageSpec{Image: id}}); err == nil {
			fmt.Println("Image is up to date for", r.ImageRef)
		}
	case "inspecti":
		var r *cri.ImageStatusResponse
		if r, err = c.img.ImageStatus(c.ctx, &cri.ImageStatusRequest{Image: &cri.ImageSpec{Image: id}}); err == nil {
			if r.Image == nil {
				return fmt.Errorf("no such image %q present", id)
			}
			err = printJSON(map[string]interface{}{"status": r.Image})
		}
	case "rmi":
		_, err = c.img.RemoveImage(c.ctx, &cri.RemoveImageRequest{Image: &cri.ImageSpec{Image: id}})
	case "stopp":
		_, err = c.rt.StopPodSandbox(c.ctx, &cri.StopPodSandboxRequest{PodSandboxId: id})
	case "rmp":
		_, err = c.rt.RemovePodSandbox(c.ctx, &cri.RemovePodSandboxRequest{PodSandboxId: id})
	case "stop":
		if id, err = c.full(id); err == nil {
			_, err = c.rt.StopContainer(c.ctx, &cri.StopContainerRequest{ContainerId: id, Timeout: 10})
		}
	case "rm":
		if id, err = c.full(id); err == nil {
			_, err = c.rt.RemoveContainer(c.ctx, &cri.RemoveContainerRequest{ContainerId: id})
		}
	case "inspect":
		var r *cri.ContainerStatusResponse
		if id, err = c.full(id); err == nil {
			if r, err = c.rt.ContainerStatus(c.ctx, &cri.ContainerStatusRequest{ContainerId: id}); err == nil {
				err = printJSON(map[string]interface{}{"status": r.Status})
			}
		}
	case "logs":
		return c.logs(id)
	default:
		return fmt.Errorf("not in the lab's crictl: %s", command)
	}
	return err
}

func (c *client) full(prefix string) (string, error) {
	r, err := c.rt.ListContainers(c.ctx, &cri.ListContainersRequest{})
	if err != nil {
		return "", err
	}
	for _, k := range r.Containers {
		if strings.HasPrefix(k.Id, prefix) {
			return k.Id, nil
		}
	}
	return "", fmt.Errorf("container %q not found", prefix)
}

func (c *client) version() error {
	r, err := c.rt.Version(c.ctx, &cri.VersionRequest{})
	if err == nil {
		fmt.Printf("Version:  %s\nRuntimeName:  %s\nRuntimeVersion:  %s\nRuntimeApiVersion:  %s\n",
			r.Version, r.RuntimeName, r.RuntimeVersion, r.RuntimeApiVersion)
	}
	return err
}

func (c *client) info() error {
	r, err := c.rt.Status(c.ctx, &cri.StatusRequest{Verbose: true})
	if err != nil {
		return err
	}
	out := map[string]interface{}{"status": r.Status}
	for k, v := range r.Info {
		var value interface{}
		if json.Unmarshal([]byte(v), &value) != nil {
			value = v
		}
		out[k] = value
	}
	text, err := json.MarshalIndent(out, "", "  ")
	fmt.Println(string(text))
	return err
}

func (c *client) images() error {
	r, err := c.img.ListImages(c.ctx, &cri.ListImagesRequest{})
	if err != nil {
		return err
	}
	return c.list(map[string]interface{}{"images": r.Images}, "IMAGE\tIMAGE ID\tSIZE", len(r.Images), func(i int) (string, string) {
		m := r.Images[i]
		return m.Id, fmt.Sprintf("%s\t%.19s\t%d", strings.Join(m.RepoTags, ","), m.Id, m.Size_)
	})
}

func (c *client) pods() error {
	r, err := c.rt.ListPodSandbox(c.ctx, &cri.ListPodSandboxRequest{})
	if err != nil {
		return err
	}
	var items []*cri.PodSandbox
	for _, p := range r.Items {
		state := strings.ToLower(strings.TrimPrefix(p.State.String(), "SANDBOX_"))
		if c.wants("name", p.Metadata.Name) && c.wants("namespace", p.Metadata.Namespace) &&
			c.wants("state", state) && c.wants("s", state) && c.labelled(p.Labels) {
			items = append(items, p)
		}
	}
	return c.list(map[string]interface{}{"items": items}, "POD ID\tSTATE\tNAMESPACE\tNAME", len(items), func(i int) (string, string) {
		p := items[i]
		return p.Id, fmt.Sprintf("%.13s\t%s\t%s\t%s", p.Id, p.State, p.Metadata.Namespace, p.Metadata.Name)
	})
}

func (c *client) ps() error {
	r, err := c.rt.ListContainers(c.ctx, &cri.ListContainersRequest{})
	if err != nil {
		return err
	}
	var items []*cri.Container
	_, byState := c.filter["state"]
	for _, k := range r.Containers {
		state := strings.ToLower(strings.TrimPrefix(k.State.String(), "CONTAINER_"))
		if !c.all && !byState && k.State != cri.ContainerState_CONTAINER_RUNNING {
			continue
		}
		if c.wants("name", k.Metadata.Name) && c.wants("state", state) && c.labelled(k.Labels) &&
			strings.HasPrefix(k.PodSandboxId, c.filter["pod"]) && strings.HasPrefix(k.PodSandboxId, c.filter["p"]) {
			items = append(items, k)
		}
	}
	return c.list(map[string]interface{}{"containers": items}, "CONTAINER\tSTATE\tNAME\tATTEMPT\tPOD ID\tPOD", len(items), func(i int) (string, string) {
		k := items[i]
		return k.Id, fmt.Sprintf("%.13s\t%s\t%s\t%d\t%.13s\t%s", k.Id, k.State, k.Metadata.Name,
			k.Metadata.Attempt, k.PodSandboxId, k.Labels["io.kubernetes.pod.name"])
	})
}

func (c *client) wants(key, have string) bool {
	return strings.Contains(strings.ToLower(have), strings.ToLower(c.filter[key]))
}

func (c *client) labelled(labels map[string]string) bool {
	key, value, _ := strings.Cut(c.filter["label"], "=")
	return key == "" || labels[key] == value
}

func (c *client) list(value interface{}, header string, n int, row func(int) (string, string)) error {
	if c.output == "json" {
		return printJSON(value)
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	defer table.Flush()
	if !c.quiet {
		fmt.Fprintln(table, header)
	}
	for i := 0; i < n; i++ {
		id, line := row(i)
		if c.quiet {
			line = id
		}
		fmt.Fprintln(table, line)
	}
	return nil
}

func (c *client) logs(id string) error {
	id, err := c.full(id)
	if err != nil {
		return err
	}
	r, err := c.rt.ContainerStatus(c.ctx, &cri.ContainerStatusRequest{ContainerId: id})
	if err != nil {
		return err
	}
	file, err := os.Open(r.Status.LogPath)
	if err != nil {
		return err
	}
	defer file.Close()
	text, err := io.ReadAll(file)
	for _, line := range strings.SplitAfter(string(text), "\n") {
		// "time stream tag message"
		if parts := strings.SplitN(line, " ", 4); len(parts) == 4 {
			fmt.Print(parts[3])
		}
	}
	return err
}

// printJSON writes the keys as the real crictl does, in camel case, and states
// by name.
func printJSON(value interface{}) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	var plain interface{}
	if err := json.Unmarshal(text, &plain); err != nil {
		return err
	}
	text, err = json.MarshalIndent(camel(plain), "", "  ")
	fmt.Println(string(text))
	return err
}

func camel(value interface{}) interface{} {
	switch v := value.(type) {
	case []interface{}:
		for i := range v {
			v[i] = camel(v[i])
		}
	case map[string]interface{}:
		out := map[string]interface{}{}
		for key, inner := range v {
			if key == "labels" || key == "annotations" {
				out[key] = inner
				continue
			}
			if n, ok := inner.(float64); ok && key == "state" {
				inner = stateName(v, int32(n))
			}
			words := strings.Split(key, "_")
			for i := 1; i < len(words); i++ {
				words[i] = strings.Title(words[i])
			}
			out[strings.Join(words, "")] = camel(inner)
		}
		return out
	}
	return value
}

func stateName(of map[string]interface{}, n int32) string {
	if _, container := of["image"]; container {
		return cri.ContainerState_name[n]
	}
	return cri.PodSandboxState_name[n]
}

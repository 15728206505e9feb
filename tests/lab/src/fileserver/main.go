// Command fileserver serves a directory over HTTP: fileserver ADDRESS DIRECTORY.
package main

import (
	"log"
	"net/http"
	"os"
)

func main() {
	log.Fatal(http.ListenAndServe(os.Args[1], http.FileServer(http.Dir(os.Args[2]))))
}

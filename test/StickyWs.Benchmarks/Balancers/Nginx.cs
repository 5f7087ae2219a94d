using System.Globalization;

namespace StickyWs.Benchmarks.Balancers;

/// <summary>nginx with one worker, set up as its documentation says for WebSockets and for kept-alive connections to the backend.</summary>
internal static class Nginx
{
    private static int Connections => Math.Min(19_000, OpenFiles.Limit - 200);

    /// <summary>Whether it was built with TLS.</summary>
    public static bool HasTls(string program) => Programs.Says(program, "-V").Contains("--with-http_ssl_module", StringComparison.Ordinal);

    public static Task<Balancer> StartAsync(string program, Place place)
        => Balancer.StartServerAsync(place, (folder, port) => Configuration(folder, port, place), program, "-e", "stderr", "-c");

    // Several: the least connections are next. nginx has no queue, and max_conns counts tunnels as well as handshakes, so that it has room for all of them
    // when one server is gone. A server that refuses is out for ten seconds, and the next one is tried.
    private static string Servers(Place place)
    {
        if (place.Others is []) return $"server {place.Backend};";
        var room = (Connections / 2 / (place.Backends.Count - 1)) + 1;
        var limits = string.Create(CultureInfo.InvariantCulture, $"max_conns={room} max_fails=1 fail_timeout=10s");
        return "least_conn; " + string.Concat(place.Backends.Select(backend => $"server {backend} {limits}; "));
    }

    // keepalive_requests is 1,000 by default, after which a connection is closed: the load keeps its own. Time limits are out of the way. Bodies pass
    // as they come, as the others pass them, and not by way of a file. TLS 1.3
    // is not a default before 1.23.4.
    private static string Configuration(string folder, int port, Place place) => string.Create(CultureInfo.InvariantCulture, $$"""
        daemon off;
        worker_processes 1;
        pid {{folder}}/pid;
        error_log stderr error;
        events { worker_connections {{Connections}}; }
        http {
            access_log off;
            client_body_temp_path {{folder}}/body;
            proxy_temp_path {{folder}}/proxy;
            fastcgi_temp_path {{folder}}/fastcgi;
            uwsgi_temp_path {{folder}}/uwsgi;
            scgi_temp_path {{folder}}/scgi;
            keepalive_timeout 1h;
            keepalive_requests 1000000000;
            map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
            upstream backend { {{Servers(place)}} keepalive 128; keepalive_requests 1000000000; keepalive_time 1h; keepalive_timeout 1h; }
            server {
                listen 127.0.0.1:{{port}} {{(place.Certificate is null ? "" : "ssl ")}}backlog=4096;
                {{(place.Certificate is { } file ? $"ssl_certificate {file}; ssl_certificate_key {file}; ssl_protocols TLSv1.2 TLSv1.3;" : "")}}
                location / {
                    proxy_pass {{(place.IsBackendTls ? "https" : "http")}}://backend;
                    {{(place.IsBackendTls ? "proxy_ssl_verify off; proxy_ssl_protocols TLSv1.2 TLSv1.3;" : "")}}
                    proxy_http_version 1.1;
                    proxy_request_buffering off;
                    proxy_set_header Host $host;
                    proxy_set_header Upgrade $http_upgrade;
                    proxy_set_header Connection $connection_upgrade;
                    proxy_read_timeout 1h;
                    proxy_send_timeout 1h;
                    proxy_next_upstream error timeout http_502 http_503;
                }
            }
        }

        """);
}

using System.Globalization;

namespace StickyWs.Benchmarks.Balancers;

/// <summary>nginx with one worker, set up as its documentation says for WebSockets and for kept-alive connections to the backend.</summary>
internal static class Nginx
{
    public static Task<Balancer> StartAsync(string program, string backend)
        => Balancer.StartServerAsync((folder, port) => Configuration(folder, port, backend), program, "-e", "stderr", "-c");

    // keepalive_requests is 1,000 by default, after which a connection is closed: the load keeps its own. Time limits are out of the way.
    private static string Configuration(string folder, int port, string backend) => string.Create(CultureInfo.InvariantCulture, $$"""
        daemon off;
        worker_processes 1;
        pid {{folder}}/pid;
        error_log stderr error;
        events { worker_connections {{Math.Min(19_000, OpenFiles.Limit - 200)}}; }
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
            upstream backend { server {{backend}}; keepalive 128; keepalive_requests 1000000000; keepalive_time 1h; keepalive_timeout 1h; }
            server {
                listen 127.0.0.1:{{port}} backlog=4096;
                location / {
                    proxy_pass http://backend;
                    proxy_http_version 1.1;
                    proxy_set_header Host $host;
                    proxy_set_header Upgrade $http_upgrade;
                    proxy_set_header Connection $connection_upgrade;
                    proxy_read_timeout 1h;
                    proxy_send_timeout 1h;
                }
            }
        }

        """);
}

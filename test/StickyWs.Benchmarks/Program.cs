using BenchmarkDotNet.Running;
using StickyWs.Benchmarks.Balancers;
using StickyWs.Benchmarks.Micro;
using StickyWs.Benchmarks.Peers;
using StickyWs.Benchmarks.Traffic;

const string Usage = """
    micro [BenchmarkDotNet arguments]    sniffing, parsing, picking; a few minutes
    peers [--rounds N] [--only echo,bulk,handshake,http,idle,many,watch,latency,stalled,hostile,storm,goodbye,
                 tls-echo,tls-bulk,tls-handshake,tls-resumed,tls-http,tls-backend,tls-idle,tls-latency,tls-goodbye] [--out FILE]
          [--contestants raw,inline,frameless,direct,dashboard,watched,logged,epoll,kept,sslstream,portable,yarp,haproxy,haproxy-splice,nginx]
          [--base CONTESTANT]
          [--haproxy PATHS] [--nginx PATHS] [--seconds N] [--warm-up SECONDS]
                                         StickyWs, YARP, HAProxy and nginx side by side; Linux only, an hour
    """;

switch (args)
{
    case ["micro", .. var rest]:
        BenchmarkSwitcher.FromAssembly(typeof(QuickConfig).Assembly).Run(rest is [] ? ["--filter", "*"] : rest, new QuickConfig());
        return 0;
    case ["peers", .. var rest]:
        return await PeersCommand.RunAsync(rest);
    case ["serve-backend", .. var certificate]:
        return await Backend.RunAsync(certificate.FirstOrDefault());
    case ["serve-stickyws", var backend, var certificate, .. var settings]:
        return await DotNetBalancers.RunStickyWsAsync(Place.Parse(backend, certificate), settings);
    case ["serve-dashboard", var backend, var certificate, .. var settings]:
        return await DotNetBalancers.RunStickyWsAsync(Place.Parse(backend, certificate), settings, Extra.Dashboard);
    case ["serve-logged", var backend, var certificate, .. var settings]:
        return await DotNetBalancers.RunStickyWsAsync(Place.Parse(backend, certificate), settings, Extra.AccessLines);
    case ["watch", var port]:
        return await Watcher.RunAsync(port);
    case ["serve-yarp", var backend, var certificate]:
        return await DotNetBalancers.RunYarpAsync(Place.Parse(backend, certificate));
    case ["load"]:
        return await Load.RunAsync();
    default:
        await Console.Error.WriteLineAsync(Usage);
        return 2;
}

using System.IO.Pipelines;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace StickyWs.Fuzz;

/// <summary>Kestrel itself, over memory: what it makes of a head is what the sniffer must have made of it.</summary>
internal sealed class KestrelOracle : IAsyncDisposable
{
    private readonly MemoryListener _listener = new();
    private readonly Lazy<Task<WebApplication>> _app;

    public KestrelOracle() => _app = new Lazy<Task<WebApplication>>(StartAsync);

    /// <exception cref="InvalidOperationException">Kestrel refuses the head, sees no WebSocket handshake in it, or reads another target, path or
    /// host.</exception>
    public async Task AcceptAsync(ReadOnlyMemory<byte> head, byte[] target, string path, string host)
    {
        await _app.Value;
        var (client, server) = Duplex();
        _listener.Connect(new MemoryConnection(server));
        await client.Output.WriteAsync(head);
        var answer = await ReadAnswerAsync(client.Input);
        var expected = $"websocket {Encoding.ASCII.GetString(target)} {path} {host}";
        Broken.If(!answer.EndsWith("\r\n\r\n" + expected, StringComparison.Ordinal), $"The sniffer saw \"{expected}\", Kestrel answered:\n{answer}");
        await client.Output.CompleteAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_app.IsValueCreated) await (await _app.Value).DisposeAsync();
    }

    private async Task<WebApplication> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(new IPEndPoint(IPAddress.Loopback, 1)));
        builder.Services.AddSingleton<IConnectionListenerFactory>(_listener);
        var app = builder.Build();
        app.UseWebSockets();
        app.Run(context =>
        {
            var seen = context.WebSockets.IsWebSocketRequest ? "websocket" : "none";
            var answer = $"{seen} {context.Features.Get<IHttpRequestFeature>()!.RawTarget} {context.Request.Path.Value} {context.Request.Host.Value}";
            context.Response.Headers.Connection = "close";
            context.Response.ContentLength = answer.Length;
            return context.Response.WriteAsync(answer);
        });
        await app.StartAsync();
        return app;
    }

    private static async Task<string> ReadAnswerAsync(PipeReader input)
    {
        while (true)
        {
            var read = await input.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
            if (read.IsCompleted) return Encoding.Latin1.GetString(read.Buffer);
            input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static (IDuplexPipe Client, IDuplexPipe Server) Duplex()
    {
        var (toServer, toClient) = (new Pipe(), new Pipe());
        return (new DuplexPipe(toClient.Reader, toServer.Writer), new DuplexPipe(toServer.Reader, toClient.Writer));
    }

    private sealed class DuplexPipe(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}

using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Affinity;

/// <summary>An <see cref="EchoBackend"/> that keeps what came to it, and can go away and come back at the same address.</summary>
internal sealed class StatefulBackend : IAsyncDisposable
{
    // Bound and not listening: while the backend is away, its port refuses connects and is nobody else's.
    private readonly Socket _port = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly ConcurrentQueue<Dictionary<string, string>> _requests = new();
    private readonly RequestDelegate? _first;
    private EchoBackend? _echo;

    private StatefulBackend(string name, RequestDelegate? first)
    {
        Name = name;
        _first = first;
        _port.Bind(new IPEndPoint(IPAddress.Loopback, 0));
    }

    public string Name { get; }

    public string Address => $"http://{_port.LocalEndPoint}";

    /// <summary>The headers of the requests and handshakes that it got, in order; their targets as <c>:target</c>.</summary>
    public IReadOnlyList<IReadOnlyDictionary<string, string>> Requests => [.. _requests];

    /// <summary>The headers of the last one.</summary>
    public IReadOnlyDictionary<string, string> Last => _requests.Last();

    /// <param name="name">What it calls itself.</param>
    /// <param name="first">Sees every request first, and may answer it: with a body, or with a status of 400 or more.</param>
    public static async Task<StatefulBackend> StartAsync(string name, RequestDelegate? first = null)
    {
        var backend = new StatefulBackend(name, first);
        await backend.ReturnAsync();
        return backend;
    }

    /// <summary>Goes away: its connections break, and new ones are refused.</summary>
    public async Task GoAsync()
    {
        await _echo!.DisposeAsync();
        _echo = null;
    }

    public async Task ReturnAsync() => _echo = await EchoBackend.StartAsync(
        Name,
        configure: app => app.Use(TakeAsync),
        port: ((IPEndPoint)_port.LocalEndPoint!).Port);

    public async ValueTask DisposeAsync()
    {
        if (_echo is not null) await _echo.DisposeAsync();
        _port.Dispose();
    }

    private async Task TakeAsync(HttpContext context, RequestDelegate next)
    {
        var headers = context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        headers[":target"] = context.Request.Path + context.Request.QueryString;
        _requests.Enqueue(headers);
        if (_first is not null) await _first(context);
        if (context.Response.HasStarted) return;
        if (context.Response.StatusCode < StatusCodes.Status400BadRequest) await next(context);
        else await context.Response.WriteAsync("no");
    }
}

using System.IO.Pipelines;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace StickyWs.Fuzz;

/// <summary>Kestrel itself, over memory: the requests that it finds in the bytes of a connection.</summary>
internal sealed class KestrelReader : IAsyncDisposable
{
    private const string Log = "log";
    private const int Answered = 299;

    private readonly MemoryListener _listener = new();
    private readonly Lazy<Task<WebApplication>> _app;

    public KestrelReader() => _app = new Lazy<Task<WebApplication>>(StartAsync);

    /// <summary>The requests that it served, and everything it answered.</summary>
    /// <param name="bytes">What comes on the connection before its end.</param>
    /// <param name="cuts">Where the pieces end in which they come.</param>
    /// <param name="requests">How many requests are expected.</param>
    public async Task<(IReadOnlyList<SeenRequest> Seen, string Answers)> ReadAsync(ReadOnlyMemory<byte> bytes, int[] cuts, int requests)
    {
        await _app.Value;
        var (toServer, toClient) = (new Pipe(), new Pipe());
        var log = new List<SeenRequest>();
        var connection = new MemoryConnection(new Ends(toServer.Reader, toClient.Writer));
        connection.Items[Log] = log;
        _listener.Connect(connection);
        var start = 0;
        foreach (var cut in cuts.Append(bytes.Length))
        {
            if (Math.Min(cut, bytes.Length) is var end && end <= start) continue;
            await toServer.Writer.WriteAsync(bytes[start..end]);
            start = end;
        }

        // The end of the connection comes when all is answered: a body that an end cuts off would not be told from one that is whole.
        await WaitAsync(toClient.Reader, answers => Count(answers) >= requests);
        await toServer.Writer.CompleteAsync();
        var answers = await WaitAsync(toClient.Reader, _ => false);
        var finals = answers.Split("HTTP/1.1 299")[1..];
        for (var i = 0; i < log.Count && i < finals.Length; i++)
            log[i] = log[i] with { Closes = finals[i].Contains("\r\nConnection: close\r\n", StringComparison.Ordinal) };
        return (log, answers);
    }

    /// <summary>Whether every answer is the application's: Kestrel has refused nothing.</summary>
    public static bool AreAllServed(string answers)
    {
        for (var at = 0; (at = answers.IndexOf("HTTP/1.1 ", at, StringComparison.Ordinal)) >= 0; at += 9)
        {
            var status = answers.Substring(at + 9, 3);
            if (status is not ("299" or "100")) return false;
        }

        return true;
    }

    public async ValueTask DisposeAsync()
    {
        if (_app.IsValueCreated) await (await _app.Value).DisposeAsync();
    }

    private async Task<WebApplication> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Listen(new IPEndPoint(IPAddress.Loopback, 1));
        });
        builder.Services.AddSingleton<IConnectionListenerFactory>(_listener);
        var app = builder.Build();
        app.Run(ServeAsync);
        await app.StartAsync();
        return app;
    }

    private static async Task ServeAsync(HttpContext context)
    {
        var request = context.Request;
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body);
        var headers = request.Headers.SelectMany(header => header.Value.Select(value => (header.Key, value ?? "")));
        var log = (List<SeenRequest>)context.Features.GetRequiredFeature<IConnectionItemsFeature>().Items[Log]!;
        context.Response.StatusCode = Answered;
        context.Response.ContentLength = 0;
        log.Add(new SeenRequest(request.Method, context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget, request.Path.Value!,
            request.Headers.Host.ToString(), Show(headers), body.ToArray(), Closes: false));
    }

    /// <summary>
    /// Headers in a form that can be compared: by name, those of one name in their order, a length by its value. Not <c>Connection</c>: Kestrel puts
    /// <c>close</c> or <c>keep-alive</c> in place of a list that holds it.
    /// </summary>
    public static string Show(IEnumerable<(string Name, string Value)> headers)
    {
        var text = new StringBuilder();
        foreach (var group in headers.GroupBy(header => header.Name.ToLowerInvariant()).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            if (group.Key == "connection") continue;
            var isLength = group.Key == "content-length";
            text.Append(group.Key).Append(": ").AppendJoin(" | ", group.Select(one => isLength ? one.Value.TrimStart('0') : one.Value)).Append("; ");
        }

        return text.ToString();
    }

    private static int Count(string answers) => answers.Split("HTTP/1.1 299").Length - 1;

    // Everything so far stays in the pipe.
    private static async Task<string> WaitAsync(PipeReader input, Predicate<string> isEnough)
    {
        while (true)
        {
            var read = await input.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
            var answers = Encoding.Latin1.GetString(read.Buffer);
            if (read.IsCompleted || isEnough(answers))
            {
                input.AdvanceTo(read.Buffer.Start);
                return answers;
            }

            input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private sealed class Ends(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}

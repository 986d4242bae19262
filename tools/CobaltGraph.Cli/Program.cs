Console.Error.WriteLine("cobaltgraph: no verb yet.");
return 64;
